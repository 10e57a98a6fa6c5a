import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { BoundedMap } from './bounded-map.ts';
import { createBoundedQueue } from './bounded-queue.ts';

const never = new AbortController().signal;

describe('bounded queue', () => {
  it('refuses what is over the cap and counts it', async () => {
    const queue = createBoundedQueue<number>({ capacity: 2 });
    expect([1, 2, 3].map((n) => queue.push(n))).toEqual([true, true, false]);
    expect(queue.dropped).toBe(1);
    expect(await queue.take(never)).toBe(1);
  });

  it('forgets the oldest when told so', async () => {
    const queue = createBoundedQueue<number>({ capacity: 2, overflow: 'drop-oldest' });
    for (const n of [1, 2, 3]) queue.push(n);
    expect([await queue.take(never), await queue.take(never), queue.dropped]).toEqual([2, 3, 1]);
  });

  it('wakes a waiting reader, and ends it when closed', async () => {
    const queue = createBoundedQueue<string>({ capacity: 1 });
    const first = queue.take(never);
    queue.push('a');
    expect(await first).toBe('a');
    const second = queue.take(never);
    queue.close();
    expect(await second).toBeUndefined();
    expect(queue.push('b')).toBe(false);
  });

  it('lets a reader give up without losing an item', async () => {
    const queue = createBoundedQueue<string>({ capacity: 1 });
    const controller = new AbortController();
    const taking = queue.take(controller.signal);
    controller.abort('tired');
    await expect(taking).rejects.toBe('tired');
    queue.push('kept');
    await expect(queue.take(controller.signal)).rejects.toBe('tired');
    expect(await queue.take(never)).toBe('kept');
  });

  test.prop([fc.array(fc.option(fc.integer(), { nil: undefined }), { maxLength: 500 })])(
    'keeps the order of any mix of pushes and takes',
    async (script) => {
      const queue = createBoundedQueue<number>({ capacity: 50, overflow: 'drop-oldest' });
      const model: number[] = [];
      for (const step of script) {
        if (step !== undefined) {
          queue.push(step);
          model.push(step);
          if (model.length > 50) model.shift();
        } else if (model.length > 0) {
          expect(await queue.take(never)).toBe(model.shift());
        }
      }
      expect(queue.size).toBe(model.length);
    },
  );
});

describe('bounded map', () => {
  it('evicts the least recently used entry', () => {
    const evicted: string[] = [];
    const map = new BoundedMap<string, number>({ capacity: 2, onEvict: (key) => evicted.push(key) });
    map.set('a', 1);
    map.set('b', 2);
    map.get('a');
    map.set('c', 3);
    expect(evicted).toEqual(['b']);
    expect([...map.keys()]).toEqual(['a', 'c']);
    expect([map.delete('a'), map.delete('a'), map.size]).toEqual([true, false, 1]);
  });
});
