import { createMetricsRegistry, type Random } from '@selvedge/kit';
import { createManualClock, type ManualClock } from '@selvedge/kit/testing';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { createKubeMetrics } from '../metrics.ts';
import { createKeyQueue, type KeyQueue, type KeyQueueOptions } from './key-queue.ts';

const { signal } = new AbortController();

function create(
  options: Partial<KeyQueueOptions> = {},
  random: Random = () => 1,
): { queue: KeyQueue; clock: ManualClock } {
  const clock = createManualClock();
  const metrics = createKubeMetrics(createMetricsRegistry());
  return { clock, queue: createKeyQueue({ name: 'test', ...options }, { clock, random, metrics }) };
}

describe('the key queue', () => {
  it('holds a key once, and gives keys in their order', async () => {
    const { queue } = create();
    for (const key of ['a', 'b', 'a']) queue.add(key);
    expect(queue.size).toBe(2);
    expect([await queue.take(signal), await queue.take(signal)]).toEqual(['a', 'b']);
  });

  it('never gives a key to two workers, and gives it again when it was added meanwhile', async () => {
    const { queue, clock } = create();
    queue.add('a');
    await queue.take(signal);
    queue.add('a');
    queue.add('a');
    let again: string | undefined;
    const second = queue.take(signal).then((key) => (again = key));
    await clock.advance(0);
    expect(again).toBeUndefined();
    queue.done('a');
    await second;
    expect(again).toBe('a');
    queue.done('a');
    expect(queue.size).toBe(0);
  });

  it('adds after a time, the earliest of several', async () => {
    const { queue, clock } = create();
    queue.addAfter('a', 100);
    queue.addAfter('a', 10);
    queue.addAfter('b', 5);
    queue.addAfter('a', 50);
    await clock.advance(5);
    expect(await queue.take(signal)).toBe('b');
    await clock.advance(5);
    expect(await queue.take(signal)).toBe('a');
    queue.done('a');
    await clock.advance(1_000);
    expect(queue.size).toBe(0);
    expect(clock.sleepers).toBe(0);
  });

  it('doubles the delay of a key that fails, up to a bound, until it is forgotten', async () => {
    const { queue, clock } = create({ backoff: { initialMs: 10, maxMs: 35 } });
    const delayOf = async (): Promise<number> => {
      const start = clock.monotonicMs();
      queue.retry('a');
      while (queue.size === 0) await clock.advance(1);
      await queue.take(signal);
      queue.done('a');
      return clock.monotonicMs() - start;
    };
    expect([await delayOf(), await delayOf(), await delayOf(), await delayOf()]).toEqual([10, 20, 35, 35]);
    queue.forget('a');
    expect(await delayOf()).toBe(10);
  });

  it('spreads delays over the upper half of their bound', async () => {
    const { queue, clock } = create({ backoff: { initialMs: 100, maxMs: 100 } }, () => 0);
    queue.retry('a');
    await clock.advance(49);
    expect(queue.size).toBe(0);
    await clock.advance(1);
    expect(queue.size).toBe(1);
  });

  it('refuses new keys beyond its cap, not those that it knows', () => {
    const { queue } = create({ maxKeys: 2 });
    expect([queue.add('a'), queue.addAfter('b', 10), queue.add('c'), queue.add('b')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  it('drains: takes no more, gives out the rest, waits for what is in work', async () => {
    const { queue, clock } = create();
    queue.add('a');
    queue.add('b');
    queue.addAfter('later', 10);
    await queue.take(signal);
    let drained = false;
    const draining = queue.drain(signal).then(() => (drained = true));
    expect(queue.add('c')).toBe(false);
    expect(await queue.take(signal)).toBe('b');
    expect(await queue.take(signal)).toBeUndefined();
    queue.done('b');
    await clock.advance(100);
    expect(drained).toBe(false);
    queue.done('a');
    await draining;
  });

  it('stops waiting when its signal aborts', async () => {
    const { queue } = create();
    const stop = new AbortController();
    const taking = queue.take(stop.signal);
    stop.abort(new Error('enough'));
    await expect(taking).rejects.toThrow('enough');
  });

  it.each(['before', 'after'])(
    'leaves a key to the next worker where one stops just %s it came',
    async (when) => {
      const { queue } = create();
      const stop = new AbortController();
      const [first, second] = [queue.take(stop.signal), queue.take(signal)];
      const refused = Promise.allSettled([first]);
      if (when === 'after') queue.add('a');
      stop.abort(new Error('enough'));
      queue.add('a');
      expect(await second).toBe('a');
      expect(await refused).toMatchObject([{ status: 'rejected' }]);
    },
  );

  it('gives each worker that waits one key', async () => {
    const { queue } = create();
    const taking = Array.from({ length: 3 }, () => queue.take(signal));
    for (const key of ['a', 'b', 'c']) queue.add(key);
    expect(await Promise.all(taking)).toEqual(['a', 'b', 'c']);
  });

  const step = fc.oneof(
    fc.record({ do: fc.constant('add' as const), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ do: fc.constant('take' as const), key: fc.constant('') }),
    fc.record({ do: fc.constant('done' as const), key: fc.constantFrom('a', 'b', 'c') }),
  );

  property.prop([fc.array(step)])(
    'loses no addition and never hands out a key that is in work',
    async (steps) => {
      const { queue } = create();
      const [owed, working] = [new Set<string>(), new Set<string>()];
      const take = async (): Promise<void> => {
        const key = (await queue.take(signal)) ?? '';
        expect(working.has(key)).toBe(false);
        working.add(key);
        owed.delete(key);
      };
      for (const { do: what, key } of steps) {
        if (what === 'add') owed.add(queue.add(key) ? key : '');
        else if (what === 'take' && queue.size > 0) await take();
        else if (what === 'done' && working.delete(key)) queue.done(key);
      }
      for (const key of working) queue.done(key);
      working.clear();
      while (queue.size > 0) await take();
      expect(owed).toEqual(new Set());
    },
  );
});
