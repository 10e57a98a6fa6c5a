import { SelvedgeError, createLimiter } from '@selvedge/kit';
import type { Progress } from '../command/index.ts';
import type { OnFailure } from './wave-options.ts';
import type { Wave } from './waves.ts';

export interface WaveWork<N, R> {
  readonly progress: Progress;
  readonly onFailure: OnFailure;
  readonly signal: AbortSignal;
  readonly work: (node: N, progress: Progress) => Promise<R>;
  /** Why it counts as a failure; undefined: it is none. */
  readonly failureOf: (result: R) => string | undefined;
}

/** What `work` gives, shown as a failure if it is one. */
async function shown<N extends { readonly name: string }, R>(
  node: N,
  progress: Progress,
  { work, failureOf }: WaveWork<N, R>,
): Promise<{ readonly result: R; readonly failed: boolean }> {
  const ended: R[] = [];
  try {
    await progress.task(node.name, async (own) => {
      const result = await work(node, own);
      ended.push(result);
      const failure = failureOf(result);
      if (failure !== undefined) throw new SelvedgeError(failure, { code: 'Internal' });
    });
  } catch (error) {
    const [result] = ended;
    if (result === undefined) throw error;
    return { result, failed: true };
  }
  const [result] = ended;
  if (result !== undefined) return { result, failed: false };
  throw new SelvedgeError(`no result for ${node.name}`, { code: 'Internal' });
}

/**
 * Works on nodes, one unit after the other. Has a result for each node that was begun; with `stop` none is begun after a
 * failure. When one throws, the others that were begun end before this does.
 */
export async function runWaves<N extends { readonly name: string }, R>(
  waves: readonly Wave<N>[],
  deps: WaveWork<N, R>,
): Promise<ReadonlyMap<string, R>> {
  const results = new Map<string, R>();
  let stopped = false;
  const one = async (node: N, progress: Progress): Promise<void> => {
    if (stopped) return;
    const { result, failed } = await shown(node, progress, deps);
    results.set(node.name, result);
    if (failed && deps.onFailure === 'stop') stopped = true;
  };
  for (const { unit, nodes, atOnce } of waves) {
    if (stopped) break;
    const limiter = createLimiter({ capacity: atOnce });
    await deps.progress.task(unit === undefined ? 'nodes' : `unit ${unit}`, async (progress) => {
      const work = nodes.map((node) => limiter.run(deps.signal, () => one(node, progress)));
      const ends = await Promise.allSettled(work);
      const lost = ends.find((end) => end.status === 'rejected');
      if (lost !== undefined) throw lost.reason;
    });
  }
  return results;
}
