import { describe, expect, it } from 'vitest';
import type { Progress } from '../command/index.ts';
import { runWaves } from './run-waves.ts';
import { wavesOf } from './waves.ts';

const silent: Progress = { task: (_title, work) => work(silent), note: () => undefined };
const nodes = ['a1', 'a2', 'a3', 'b1', 'b2'].map((name) => ({ name, unit: name.slice(0, 1) }));

interface Run {
  readonly results: ReadonlyMap<string, string>;
  /** The most that ran at a time, and those that ran beside each other. */
  readonly most: number;
  readonly mixed: boolean;
}

async function run(count: number, onFailure: 'stop' | 'continue', bad: readonly string[] = []): Promise<Run> {
  const running = new Set<string>();
  let [most, mixed] = [0, false];
  const results = await runWaves(wavesOf(nodes, { kind: 'count', count }), {
    progress: silent,
    onFailure,
    signal: new AbortController().signal,
    async work({ name, unit }) {
      running.add(name);
      most = Math.max(most, running.size);
      mixed ||= [...running].some((one) => !one.startsWith(unit));
      await new Promise((resolve) => setImmediate(resolve));
      running.delete(name);
      return bad.includes(name) ? 'bad' : 'good';
    },
    failureOf: (result) => (result === 'bad' ? 'it is bad' : undefined),
  });
  return { results, most, mixed };
}

describe('work in waves', () => {
  it.each([1, 2, 9])('has %i at a time, of one unit', async (count) => {
    const { results, most, mixed } = await run(count, 'stop');
    expect([results.size, most, mixed]).toEqual([5, Math.min(count, 3), false]);
  });

  it('begins no other after a failure, and tells what was', async () => {
    const { results } = await run(1, 'stop', ['a2']);
    expect([...results]).toEqual([
      ['a1', 'good'],
      ['a2', 'bad'],
    ]);
  });

  it('ends those that run beside one that fails', async () => {
    const { results } = await run(2, 'stop', ['a1']);
    expect([...results.keys()]).toEqual(['a1', 'a2']);
  });

  it('goes on after a failure if that was asked for', async () => {
    expect((await run(1, 'continue', ['a2', 'b1'])).results.size).toBe(5);
  });

  it('ends with what was thrown, after those that run beside', async () => {
    let ended = 0;
    const work = runWaves(wavesOf(nodes.slice(0, 2), { kind: 'count', count: 2 }), {
      progress: silent,
      onFailure: 'stop',
      signal: new AbortController().signal,
      async work({ name }) {
        if (name === 'a1') throw new Error('enough');
        await new Promise((resolve) => setImmediate(resolve));
        ended += 1;
      },
      failureOf: () => undefined,
    });
    await expect(work).rejects.toThrow('enough');
    expect(ended).toBe(1);
  });
});
