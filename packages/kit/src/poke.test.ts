import { expect, it } from 'vitest';
import { createPoke } from './poke.ts';
import { createManualClock } from './testing.ts';

const { signal } = new AbortController();

function waiting(ms: number | undefined, at: AbortSignal = signal) {
  const clock = createManualClock();
  const poke = createPoke(clock);
  let over = false;
  const wait = async (): Promise<void> => {
    over = false;
    await poke.wait(ms, at);
    over = true;
  };
  return { clock, poke, wait, over: () => over };
}

it('waits its time, and no timer is left', async () => {
  const { clock, wait, over } = waiting(100);
  const done = wait();
  await clock.advance(99);
  expect(over()).toBe(false);
  await clock.advance(1);
  await done;
  expect(clock.sleepers).toBe(0);
});

it('is cut short by a poke, also where there is no end otherwise', async () => {
  for (const ms of [100, undefined]) {
    const { clock, poke, wait } = waiting(ms);
    const done = wait();
    await clock.advance(0);
    poke.poke();
    await done;
    expect(clock.sleepers).toBe(0);
  }
});

it('keeps a poke that comes while nobody waits, for one wait', async () => {
  const { clock, poke, wait, over } = waiting(100);
  poke.poke();
  poke.poke();
  await wait();
  const second = wait();
  await clock.advance(99);
  expect(over()).toBe(false);
  await clock.advance(1);
  await second;
});

it('rejects with the reason of its signal, poked or not', async () => {
  const stop = new AbortController();
  const { clock, poke, wait } = waiting(100, stop.signal);
  const done = wait();
  await clock.advance(0);
  stop.abort('enough');
  await expect(done).rejects.toBe('enough');
  poke.poke();
  await expect(wait()).rejects.toBe('enough');
  expect(clock.sleepers).toBe(0);
});
