import { expect, it } from 'vitest';
import { createBackoff } from './backoff.ts';
import { createManualClock } from './testing.ts';

const options = { initialMs: 100, maxMs: 1000, resetAfterMs: 5000 };

it('doubles its bound up to the cap', () => {
  const backoff = createBackoff(options, { clock: createManualClock(), random: () => 1 });
  expect(Array.from({ length: 6 }, () => backoff.nextDelayMs())).toEqual([100, 200, 400, 800, 1000, 1000]);
});

it('draws from the whole range below the bound', () => {
  const backoff = createBackoff(options, { clock: createManualClock(), random: () => 0 });
  expect(backoff.nextDelayMs()).toBe(0);
});

it('starts over only after the link has stayed up', async () => {
  const clock = createManualClock();
  const backoff = createBackoff(options, { clock, random: () => 1 });
  backoff.nextDelayMs();
  backoff.up();
  await clock.advance(4999);
  expect(backoff.nextDelayMs()).toBe(200);
  backoff.up();
  await clock.advance(5000);
  expect(backoff.nextDelayMs()).toBe(100);
});
