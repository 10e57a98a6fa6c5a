import { hasCode } from '@selvedge/kit';
import type { ClusterClient, ClusterNode } from '../cluster/index.ts';
import type { Progress } from '../command/index.ts';
import { type HomeDeps, convertCommand, takeBack, withHome } from '../revert/index.ts';

export interface PutBackDeps extends HomeDeps {
  readonly cluster: ClusterClient;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** How often a machine that went away is tried again before it is left as it is. */
const reopening = { attempts: 12, everyMs: 5_000 } as const;

async function once(node: ClusterNode, deps: PutBackDeps, progress: Progress): Promise<void> {
  const { cluster, clock, timeoutMs } = deps;
  const onNote = (text: string): void => progress.note(`put back: ${text}`);
  await withHome({ machine: node, command: convertCommand }, deps, (home, signal) =>
    takeBack({ home, node: node.name, timeoutMs }, { cluster, clock, onNote }, signal),
  );
}

/** Puts a node back by its journal, and sees it Ready at the API server. Tries again while the machine is away. */
export async function putBack(node: ClusterNode, deps: PutBackDeps, progress: Progress): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await once(node, deps, progress);
      return;
    } catch (error) {
      deps.signal.throwIfAborted();
      if (!hasCode(error, 'Unavailable') || attempt >= reopening.attempts) throw error;
      progress.note(`put back: ${error.message}; trying again`);
      await deps.clock.sleep(reopening.everyMs, deps.signal);
    }
  }
}

/** Takes away what a run left that changed nothing, if the machine lets it: entering and leaving it does. */
export async function tidyUp(node: ClusterNode, deps: PutBackDeps): Promise<void> {
  try {
    await withHome({ machine: node, command: convertCommand }, deps, () => Promise.resolve());
  } catch {
    deps.signal.throwIfAborted();
  }
}
