import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import { waitFor } from './wait.ts';

describe('a wait', () => {
  it('looks until there is something to see', async () => {
    const clock = createManualClock();
    let looks = 0;
    const seen = waitFor({ what: 'it', everyMs: 100 }, clock, async () => {
      looks += 1;
      return looks === 3 ? 'there' : undefined;
    });
    await clock.asleep(2);
    await clock.advance(100);
    await clock.advance(100);
    expect([await seen, looks]).toEqual(['there', 3]);
  });

  it('in vain says what was waited for and what the last look said', async () => {
    const clock = createManualClock();
    const wait = waitFor({ what: 'a ready node', timeoutMs: 1_000, hint: 'see the log' }, clock, async () => {
      throw new Error('connection refused');
    });
    const time = clock.asleep(2).then(() => clock.advance(1_000));
    await expect(wait).rejects.toMatchObject({
      code: 'DeadlineExceeded',
      message: 'a ready node did not come about within 1000 ms; the last look said: connection refused',
      hint: 'see the log',
    });
    await time;
  });

  it('ends with the reason of its signal', async () => {
    const clock = createManualClock();
    const controller = new AbortController();
    const wait = waitFor({ what: 'it', signal: controller.signal }, clock, async () => undefined);
    const stop = clock.asleep(2).then(() => {
      controller.abort(new Error('enough'));
    });
    await expect(wait).rejects.toThrow('enough');
    await stop;
  });
});
