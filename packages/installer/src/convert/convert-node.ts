import { SelvedgeError, hasCode } from '@selvedge/kit';
import type { Progress } from '../command/index.ts';
import { type RunState, newRun } from '../journal/index.ts';
import { type MachineSession, convertCommand, withSession } from '../session/index.ts';
import { type NodeDeps, type Way, attempt } from './attempt.ts';
import { resultOf } from './node-result.ts';
import { type NodeState, createNodeState, isEnd } from './node-state.ts';
import type { Workable } from './plan.ts';
import { type RollingBack, rollBack, rollBackIn, tidyUp } from './roll-back.ts';
import type { ConvertedNode } from './types.ts';

/** Whether the journal says what it said when the machine was looked at. */
function isAsFound(finding: Workable, state: RunState): boolean {
  if (finding.kind === 'begun') return state.kind === 'begun' && state.run === finding.run.run;
  return state.kind === 'none' || (state.kind === 'undone' && state.command === convertCommand);
}

/** Whether another run made it an edge node since it was looked at. Throws `Conflict` if one did something else there. */
function isConverted(finding: Workable, { journal: { state } }: MachineSession): boolean {
  if (isAsFound(finding, state)) return false;
  if (state.kind === 'done' && state.command === convertCommand) return true;
  const what = state.kind === 'none' ? 'it was reverted' : `\`${state.command}\` was run on it`;
  throw new SelvedgeError(`${finding.node.name}: ${what} since it was inspected`, {
    code: 'Conflict',
    hint: 'run the same command again',
  });
}

/** What was sent is worth more than a machine without it: nothing else was done. */
const breaksOff = ({ kind }: NodeState, cause: unknown): boolean =>
  kind === 'uploading' && hasCode(cause, 'Unavailable', 'DeadlineExceeded');

/** Goes forward on a machine that is ours; fails it, it goes back before anybody else gets it. */
async function visit(way: Way, session: MachineSession, signal: AbortSignal): Promise<void> {
  const { finding, deps, progress, state } = way;
  const { clock } = deps;
  if (isConverted(finding, session)) {
    state.move({ kind: 'unchanged' });
    return;
  }
  let begunMs = clock.monotonicMs();
  try {
    const { containers, unitsMs, seenMs } = await attempt(way, session, signal);
    const totalMs = clock.monotonicMs() - begunMs;
    state.move({ kind: 'converted', durations: { totalMs, unitsMs, seenMs }, containers });
  } catch (cause) {
    signal.throwIfAborted();
    if (breaksOff(state.current, cause)) throw cause;
    begunMs = clock.monotonicMs();
    state.move({ kind: 'rolling-back', cause });
    await rollBackIn({ session, node: finding.node.name }, deps, { progress, signal });
    state.move({ kind: 'rolled-back', cause, totalMs: clock.monotonicMs() - begunMs });
  }
}

/** The machine was lost on the way: it is entered anew. */
async function back({ deps, progress, state }: Way, rolling: RollingBack, reason: unknown): Promise<void> {
  const begunMs = deps.clock.monotonicMs();
  const cause = state.current.kind === 'rolling-back' ? state.current.cause : reason;
  if (state.current.kind !== 'rolling-back') state.move({ kind: 'rolling-back', cause });
  else if (!hasCode(reason, 'Unavailable', 'DeadlineExceeded')) {
    state.move({ kind: 'failed', cause: reason });
    return;
  }
  try {
    const isBack = await rollBack(rolling, deps, progress);
    const totalMs = deps.clock.monotonicMs() - begunMs;
    state.move(isBack ? { kind: 'rolled-back', cause, totalMs } : { kind: 'unchanged' });
  } catch (error) {
    deps.signal.throwIfAborted();
    state.move({ kind: 'failed', cause: error });
  }
}

/** It could not be entered: what was not begun before is as it was, and what another run has is that one's. */
async function leave(
  { finding, deps, progress, state }: Way,
  rolling: RollingBack,
  cause: unknown,
): Promise<void> {
  const isOthers = hasCode(cause, 'Conflict');
  if (finding.kind === 'begun' && !isOthers) {
    state.move({ kind: 'failed', cause });
    return;
  }
  if (!isOthers) await tidyUp(rolling, deps, progress);
  state.move({ kind: 'left', cause });
}

/** The machine was left, maybe without its lock: what was sent stays there, the lock does not. */
async function pause({ deps, progress, state }: Way, rolling: RollingBack, cause: unknown): Promise<void> {
  await tidyUp(rolling, deps, progress);
  state.move({ kind: 'interrupted', cause });
}

/**
 * Makes an edge node of a node, or leaves it as it was. Throws for the signal alone: then its journal tells how far it is, and
 * the same again goes on there.
 */
export async function convertNode(
  finding: Workable,
  deps: NodeDeps,
  progress: Progress,
): Promise<ConvertedNode> {
  const state = createNodeState((words) => progress.note(words));
  const way = { finding, deps, progress, state };
  const run = newRun(deps.random);
  const journalled = finding.kind === 'begun' ? finding.run.run : run;
  const rolling = { node: finding.node, run, journalled };
  const entering = { machine: finding.node, command: convertCommand, run };
  try {
    await withSession(entering, { ...deps, progress }, (session, signal) => visit(way, session, signal));
  } catch (error) {
    deps.signal.throwIfAborted();
    if (state.current.kind === 'planned') await leave(way, rolling, error);
    else if (breaksOff(state.current, error)) await pause(way, rolling, error);
    else if (!isEnd(state.current)) await back(way, rolling, error);
  }
  return resultOf(finding, state.current);
}
