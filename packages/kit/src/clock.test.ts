import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { createManualClock, seededRandom } from './testing.ts';
import { jittered } from './random.ts';

describe('systemClock', () => {
  it('sleeps, and wakes at once on abort without leaving a listener', async () => {
    await systemClock.sleep(1);
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort('up');
    await expect(sleeping).rejects.toBe('up');
    await expect(systemClock.sleep(0, controller.signal)).rejects.toBe('up');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('keeps a delay longer than a 32-bit timer', async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(2 ** 40, controller.signal);
    let woke = false;
    const watched = sleeping.then(
      () => (woke = true),
      () => undefined,
    );
    await systemClock.sleep(5);
    expect(woke).toBe(false);
    controller.abort();
    await watched;
  });
});

describe('manual clock', () => {
  it('wakes sleepers in the order of their due times', async () => {
    const clock = createManualClock();
    const order: number[] = [];
    const naps = [30, 10, 20].map((ms) => clock.sleep(ms).then(() => order.push(ms)));
    await clock.advance(25);
    expect(order).toEqual([10, 20]);
    await clock.advance(5);
    await Promise.all(naps);
    expect(order).toEqual([10, 20, 30]);
    expect(clock.monotonicMs()).toBe(30);
  });

  it('wakes a sleep that begins while time is advanced', async () => {
    const clock = createManualClock();
    const chained = clock.sleep(10).then(() => clock.sleep(10));
    await clock.advance(20);
    await chained;
  });
});

describe('random', () => {
  it('jitters evenly around the value', () => {
    expect(jittered(100, () => 0)).toBe(90);
    expect(jittered(100, () => 0.5)).toBe(100);
    expect(jittered(100, () => 1, 0.5)).toBe(150);
  });

  it('repeats itself for one seed', () => {
    const [a, b] = [seededRandom(7), seededRandom(7)];
    const drawn = Array.from({ length: 100 }, a);
    expect(Array.from({ length: 100 }, b)).toEqual(drawn);
    expect(drawn.every((n) => n >= 0 && n < 1)).toBe(true);
  });
});
