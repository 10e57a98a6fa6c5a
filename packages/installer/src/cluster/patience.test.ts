import { SelvedgeError } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import { untilNothingLacks } from './patience.ts';

const { signal } = new AbortController();

describe('patience', () => {
  it('looks until nothing is missing, and tells what is, once each', async () => {
    const clock = createManualClock();
    const told: string[] = [];
    const looks = [['a', 'b'], ['a', 'b'], ['b'], []];
    const patience = {
      what: 'n',
      everyMs: 100,
      timeoutMs: 1_000,
      onMissing: (one: string) => told.push(one),
      signal,
    };
    const waiting = untilNothingLacks(patience, clock, () => Promise.resolve(looks.shift() ?? []));
    await clock.advance(300);
    await waiting;
    expect([told, looks]).toEqual([['a, b', 'b'], []]);
  });

  it('ends with what was missing at last, a cluster that is away included', async () => {
    const clock = createManualClock();
    const away = new SelvedgeError('nobody answers', { code: 'Unavailable' });
    const patience = { what: 'n', timeoutMs: 1_000, signal };
    const waiting = untilNothingLacks(patience, clock, () => Promise.reject(away)).catch(
      (error: unknown) => error,
    );
    await clock.advance(2_000);
    const expected = { code: 'DeadlineExceeded', message: 'waited 1 s for n: nobody answers' };
    expect(await waiting).toMatchObject(expected);
  });

  it('does not go on after an error that time does not mend', async () => {
    const refused = new SelvedgeError('no', { code: 'Invalid' });
    const clock = createManualClock();
    const waiting = untilNothingLacks({ what: 'n', timeoutMs: 1_000, signal }, clock, () =>
      Promise.reject(refused),
    );
    await expect(waiting).rejects.toBe(refused);
  });
});
