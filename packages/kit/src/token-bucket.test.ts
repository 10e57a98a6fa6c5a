import { expect, test } from 'vitest';
import { createManualClock } from './testing.ts';
import { TokenBucket } from './token-bucket.ts';

test('a token bucket lets a burst happen, then so much in time, and never saves more than a burst', async () => {
  const clock = createManualClock();
  const bucket = new TokenBucket({ burst: 2, perSecond: 0.5 }, clock);
  const taken = (): number => [bucket.take(), bucket.take(), bucket.take()].filter(Boolean).length;
  expect(taken()).toBe(2);
  await clock.advance(1_999);
  expect(taken()).toBe(0);
  await clock.advance(1);
  expect(taken()).toBe(1);
  await clock.advance(3_600_000);
  expect(taken()).toBe(2);
});
