import { SelvedgeError } from '../index.ts';
import { createManualClock } from '../testing.ts';
import { describe, expect, it } from 'vitest';
import { createStrangers } from './strangers.ts';

const limits = {
  maxAuthentications: 2,
  maxAuthenticationsWaiting: 1,
  maxRefusals: 3,
  forgiveRefusalMs: 1_000,
};
const { signal } = new AbortController();
const tooMany = expect.objectContaining({ code: 'ResourceExhausted' });

const refused = async (): Promise<never> => {
  throw new SelvedgeError('Unauthorized', { code: 'Unauthenticated' });
};

describe('strangers', () => {
  it('are not looked at any more when too many of their address were refused, until time has passed', async () => {
    const clock = createManualClock();
    const strangers = createStrangers(limits, { clock });
    const fail = (): Promise<unknown> => strangers.ask('10.0.0.1', signal, refused).catch((error) => error);
    for (let sent = 0; sent < 3; sent += 1) expect(await fail()).toMatchObject({ code: 'Unauthenticated' });
    expect(await fail()).toMatchObject({ code: 'ResourceExhausted' });
    expect(await strangers.ask('10.0.0.2', signal, async () => 'another')).toBe('another');
    await clock.advance(1_000);
    expect(await strangers.ask('10.0.0.1', signal, async () => 'taken')).toBe('taken');
    expect(await fail()).toMatchObject({ code: 'Unauthenticated' });
    expect(await fail()).toMatchObject({ code: 'ResourceExhausted' });
  });

  it('are no worse off for questions that nobody could answer', async () => {
    const strangers = createStrangers(limits, { clock: createManualClock() });
    const unanswered = async (): Promise<never> => {
      throw new SelvedgeError('away', { code: 'Unavailable' });
    };
    for (let sent = 0; sent < 10; sent += 1) {
      await expect(strangers.ask('10.0.0.1', signal, unanswered)).rejects.toMatchObject({
        code: 'Unavailable',
      });
    }
  });

  it('of one address are looked at a few at a time', async () => {
    const strangers = createStrangers(limits, { clock: createManualClock() });
    const { promise, resolve } = Promise.withResolvers<void>();
    let asked = 0;
    const slow = async (): Promise<void> => {
      asked += 1;
      await promise;
    };
    const waiting = [1, 2, 3].map(() => strangers.ask('10.0.0.1', signal, slow));
    expect(asked).toBe(2);
    await expect(strangers.ask('10.0.0.1', signal, slow)).rejects.toEqual(tooMany);
    await strangers.ask('10.0.0.2', signal, async () => undefined);
    resolve();
    await Promise.all(waiting);
    expect(asked).toBe(3);
  });
});
