import { SelvedgeError, hasCode } from '@selvedge/kit';
import type { ClusterClient, ClusterNode } from '../cluster/index.ts';
import type { Progress } from '../command/index.ts';
import { takeBack } from '../revert/index.ts';
import { type MachineSession, type SessionDeps, convertCommand, withSession } from '../session/index.ts';

export interface RollBackDeps extends SessionDeps {
  readonly cluster: ClusterClient;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A node, who puts it back, and the run in its journal that is put back. */
export interface RollingBack {
  readonly node: ClusterNode;
  readonly run: string;
  readonly journalled: string;
}

/** How often a machine that went away is tried again before it is left as it is. */
const reopening = { attempts: 12, everyMs: 5_000 } as const;

/** Puts a node back that is entered. */
export async function rollBackIn(
  { session, node }: { readonly session: MachineSession; readonly node: string },
  { cluster, clock, timeoutMs }: RollBackDeps,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  const onNote = (text: string): void => progress.note(`rollback: ${text}`);
  await takeBack({ session, node, timeoutMs }, { cluster, clock, onNote }, signal);
}

/**
 * Whether the run ended well after all: the answer to its last word was lost, or another command went on with it. Throws
 * `Conflict` if the machine has another run by now.
 */
function hasEnded({ journal: { state } }: MachineSession, { node, journalled }: RollingBack): boolean {
  if (state.kind === 'none') return false;
  if (state.run === journalled) return state.kind === 'done';
  throw new SelvedgeError(
    `${node.name} now has another run: \`${state.command}\`, run ${state.run}, ${state.kind}`,
    {
      code: 'Conflict',
      hint: 'it is not touched; `selvedge status` with --transport tells how far that run is',
    },
  );
}

/**
 * Puts a node back by its journal, and sees it Ready at the API server. Tries again while the machine is away. False: it is an
 * edge node, seen to be one, and is left so.
 */
export async function rollBack(what: RollingBack, deps: RollBackDeps, progress: Progress): Promise<boolean> {
  const { node: machine, run } = what;
  const entering = { ...deps, progress };
  for (let attempt = 1; ; attempt += 1) {
    let isEntered = false;
    try {
      return await withSession(
        { machine, command: convertCommand, run },
        entering,
        async (session, signal) => {
          isEntered = true;
          if (hasEnded(session, what)) return false;
          await rollBackIn({ session, node: machine.name }, deps, { progress, signal });
          return true;
        },
      );
    } catch (error) {
      deps.signal.throwIfAborted();
      const isAway = hasCode(error, 'Unavailable') || (!isEntered && hasCode(error, 'DeadlineExceeded'));
      if (!isAway || attempt >= reopening.attempts) throw error;
      progress.note(`rollback: ${error.message}; retrying`);
      await deps.clock.sleep(reopening.everyMs, deps.signal);
    }
  }
}

/** Takes away what a run left that changed nothing, if the machine lets it: entering and leaving it does. */
export async function tidyUp(
  { node: machine, run }: RollingBack,
  deps: RollBackDeps,
  progress: Progress,
): Promise<void> {
  try {
    await withSession({ machine, command: convertCommand, run }, { ...deps, progress }, () =>
      Promise.resolve(),
    );
  } catch {
    deps.signal.throwIfAborted();
  }
}
