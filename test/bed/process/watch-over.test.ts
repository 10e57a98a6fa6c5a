import { createManualClock } from '@selvedge/kit/testing';
import { expect, it } from 'vitest';
import { watchOver } from './watch-over.ts';

const endless = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason);
    });
  });

it('gives work up as soon as it cannot succeed any more', async () => {
  const clock = createManualClock();
  let why: string | undefined;
  let given: AbortSignal | undefined;
  const work = watchOver({ failure: async () => why }, clock, (signal) => {
    given = signal;
    return endless(signal);
  });
  const time = clock.asleep().then(async () => {
    await clock.advance(1_000);
    expect(given?.aborted).toBe(false);
    why = 'etcd ended';
    await clock.advance(250);
  });
  await expect(work).rejects.toMatchObject({ code: 'Unavailable', message: 'etcd ended' });
  await time;
  expect(given?.aborted).toBe(true);
});

it('leaves nothing behind when the work is done', async () => {
  const clock = createManualClock();
  expect(await watchOver({ failure: async () => undefined }, clock, async () => 'done')).toBe('done');
  expect(clock.sleepers).toBe(0);
});
