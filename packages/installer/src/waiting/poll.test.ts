import { SelvedgeError } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import { type Attempt, nothingLacks, pending, poll } from './poll.ts';

const { signal } = new AbortController();

describe('polling', () => {
  it('goes on until it is done, tells why it is not once each, and gives the value', async () => {
    const clock = createManualClock();
    const told: string[] = [];
    const attempts: Attempt<number>[] = [pending('a, b'), pending('a, b'), pending('b')];
    const polling = { what: 'n', everyMs: 100, timeoutMs: 1_000, onPending: (one: string) => told.push(one) };
    const polled = poll(polling, { clock, signal }, () =>
      Promise.resolve(attempts.shift() ?? { kind: 'done', value: 7 }),
    );
    await clock.advance(300);
    expect([await polled, told, attempts]).toEqual([7, ['a, b', 'b'], []]);
  });

  it.each(['Unavailable', 'ResourceExhausted', 'Forbidden'] as const)(
    'ends with why it is not done, a server that says %s included',
    async (code) => {
      const clock = createManualClock();
      const cause = new SelvedgeError('nobody answers', { code });
      const polling = { what: 'n', timeoutMs: 1_000, hint: 'look there' };
      const polled = poll(polling, { clock, signal }, () => Promise.reject(cause)).catch(
        (error: unknown) => error,
      );
      await clock.advance(2_000);
      const message = 'timed out after 1 s waiting for n: nobody answers';
      expect(await polled).toMatchObject({ code: 'DeadlineExceeded', message, hint: 'look there', cause });
    },
  );

  it('tells what keeps it from being so, if somebody knows', async () => {
    const clock = createManualClock();
    const told = (why: () => Promise<string | undefined>): Promise<unknown> =>
      poll({ what: 'n', timeoutMs: 0, why }, { clock, signal }, () =>
        Promise.resolve(nothingLacks(['x', 'y'])),
      ).catch((error: unknown) => (error instanceof Error ? error.message : error));
    const start = 'timed out after 0 s waiting for n:';
    expect(await told(() => Promise.resolve('ImagePullBackOff'))).toBe(`${start} ImagePullBackOff`);
    expect(await told(() => Promise.reject(new Error('away')))).toBe(`${start} x, y`);
  });

  it('does not go on after an error that time does not mend', async () => {
    const refused = new SelvedgeError('no', { code: 'Invalid' });
    const clock = createManualClock();
    const polled = poll({ what: 'n', timeoutMs: 1_000 }, { clock, signal }, () => Promise.reject(refused));
    await expect(polled).rejects.toBe(refused);
  });
});
