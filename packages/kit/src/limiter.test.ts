import { describe, expect, it } from 'vitest';

import { createLimiter } from './limiter.ts';

const never = new AbortController().signal;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Work that goes on until it is told to end. */
function jobs() {
  const order: string[] = [];
  const ends = new Map<string, () => void>();
  const job = (name: string) => async (): Promise<string> => {
    order.push(name);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    return name;
  };
  return { order, job, end: (name: string) => ends.get(name)?.() };
}

describe('limiter', () => {
  it('runs as much as its capacity and the rest in order', async () => {
    const limiter = createLimiter({ capacity: 2 });
    const { order, job, end } = jobs();
    const all = ['a', 'b', 'c', 'd'].map((name) => limiter.run(never, job(name)));
    await settle();
    expect([order.join(''), limiter.running, limiter.waiting]).toEqual(['ab', 2, 2]);
    end('b');
    await settle();
    expect(order.join('')).toBe('abc');
    end('a');
    await settle();
    end('c');
    end('d');
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
    expect([limiter.running, limiter.waiting]).toEqual([0, 0]);
  });

  it('gives the turn of what was aborted, or failed, to the next', async () => {
    const limiter = createLimiter({ capacity: 1 });
    const { order, job, end } = jobs();
    const stop = new AbortController();
    const failing = limiter.run(never, async () => {
      await job('a')();
      throw new Error('broken');
    });
    const given = limiter.run(stop.signal, job('b'));
    const last = limiter.run(never, job('c'));
    await settle();
    stop.abort(new Error('no longer wanted'));
    await expect(given).rejects.toThrow('no longer wanted');
    end('a');
    await expect(failing).rejects.toThrow('broken');
    await settle();
    end('c');
    await last;
    expect([order.join(''), limiter.running]).toEqual(['ac', 0]);
  });

  it('loses no turn that comes in the moment of an abort', async () => {
    const limiter = createLimiter({ capacity: 1 });
    const { job, end } = jobs();
    const stop = new AbortController();
    const first = limiter.run(never, job('a'));
    const second = limiter.run(stop.signal, job('b'));
    await settle();
    stop.abort(new Error('no longer wanted'));
    end('a');
    await first;
    await expect(second).rejects.toThrow('no longer wanted');
    await settle();
    expect([limiter.running, limiter.waiting]).toEqual([0, 0]);
  });
});
