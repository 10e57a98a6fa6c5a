import { SelvedgeError, type StateMachine, messageOf, withDeadline } from '@selvedge/kit';
import type { ClusterClient, Restarts } from '../cluster/index.ts';
import type { Progress } from '../command/index.ts';
import { type Home, type HomeDeps, convertCommand, watchSteps, withHome } from '../revert/index.ts';
import { type Sources, type Step, applySteps, createExecutors } from '../steps/index.ts';
import { type Before, begin } from './begin.ts';
import { type NodeState, createNodeState } from './node-state.ts';
import type { Workable } from './plan.ts';
import { putBack, tidyUp } from './put-back.ts';
import type { ConvertedNode, NodeDurations } from './types.ts';
import { verify } from './verify.ts';

export interface NodeDeps extends HomeDeps {
  readonly cluster: ClusterClient;
  readonly signal: AbortSignal;
  readonly version: string;
  /** Steps for a node that was never begun. */
  readonly stepsOf: (finding: Workable) => readonly Step[];
  /** The content of what steps send. */
  readonly sources: Sources;
  readonly timeoutMs: number;
  /** The cloud reaches kubelets through the tunnel: logs must be readable. */
  readonly hasEgress: boolean;
}

interface Way {
  readonly finding: Workable;
  readonly deps: NodeDeps;
  readonly progress: Progress;
  readonly state: StateMachine<NodeState>;
}

/** What was seen of a node that all steps are done on. */
interface Seen extends Omit<NodeDurations, 'totalMs'> {
  readonly containers: Restarts;
}

interface Applying {
  readonly home: Home;
  readonly before: Before;
}

async function apply(
  { finding, deps, progress, state }: Way,
  { home, before }: Applying,
  signal: AbortSignal,
): Promise<Seen> {
  const { clock, cluster, timeoutMs, sources } = deps;
  const { host, files, journal } = home;
  const onNote = (text: string): void => progress.note(text);
  const watch = watchSteps(clock, onNote);
  const run = journal.state.kind === 'none' ? '' : journal.state.run;
  const executors = createExecutors({ host, files, run, clock, sources });
  const look = async (within: AbortSignal): Promise<Seen> => {
    const beginMs = clock.monotonicMs();
    state.move({ kind: 'verifying' });
    const verification = {
      node: finding.node.name,
      home,
      layout: finding.machine.layout,
      before: before.containers,
      needsLogs: deps.hasEgress || before.logs.kind === 'read',
      timeoutMs,
    };
    const containers = await verify(verification, { cluster, clock, onNote }, within);
    return { containers, unitsMs: watch.unitsMs, seenMs: clock.monotonicMs() - beginMs };
  };
  const found: { seen?: Seen } = {};
  const check = async (within: AbortSignal): Promise<void> => {
    found.seen = await look(within);
  };
  await applySteps({ journal, executors, onEvent: watch.onEvent, check }, signal);
  // Another run ended it after it was looked at.
  return found.seen ?? (await look(signal));
}

function forward(way: Way, signal: AbortSignal): Promise<Seen> {
  const { finding, deps, state } = way;
  const place = { machine: finding.node, command: convertCommand };
  return withHome(place, { ...deps, signal }, async (home, within) => {
    state.move({ kind: 'applying' });
    const before = await begin({ finding, home }, deps, within);
    return await apply(way, { home, before }, within);
  });
}

/** Goes forward for so long; when it fails, everything that it began has ended. */
async function withinTime(way: Way): Promise<Seen> {
  const { finding, deps } = way;
  const { timeoutMs, signal, clock } = deps;
  const running: Promise<unknown>[] = [];
  try {
    return await withDeadline({ what: finding.node.name, timeoutMs, signal }, clock, (within) => {
      const work = forward(way, within);
      running.push(work);
      return work;
    });
  } finally {
    await Promise.allSettled(running);
  }
}

const hintOf = (error: unknown): string | undefined =>
  error instanceof SelvedgeError ? error.hint : undefined;

/** What is told of a node in its last state. */
function resultOf({ node, machine }: Workable, state: NodeState): ConvertedNode {
  const unit = node.unit === undefined ? {} : { unit: node.unit };
  const identity = { node: node.name, ...unit, layout: machine.layout.name };
  switch (state.kind) {
    case 'converted':
      return { ...identity, outcome: 'converted', durations: state.durations, containers: state.containers };
    case 'put-back': {
      const hint = hintOf(state.cause);
      const told = { because: messageOf(state.cause), ...(hint === undefined ? {} : { hint }) };
      return { ...identity, outcome: 'put-back', ...told };
    }
    case 'failed': {
      const hint = `selvedge revert --nodes ${node.name} takes it back; selvedge convert --nodes ${node.name} goes on`;
      return { ...identity, outcome: 'failed', because: messageOf(state.cause), hint };
    }
    case 'planned':
    case 'applying':
    case 'verifying':
    case 'putting-back':
      return { ...identity, outcome: 'not-begun' };
  }
}

async function back({ finding, deps, progress, state }: Way, cause: unknown): Promise<void> {
  const begunMs = deps.clock.monotonicMs();
  state.move({ kind: 'putting-back', cause });
  try {
    await putBack(finding.node, deps, progress);
    state.move({ kind: 'put-back', cause, totalMs: deps.clock.monotonicMs() - begunMs });
  } catch (error) {
    deps.signal.throwIfAborted();
    state.move({ kind: 'failed', cause: error });
  }
}

/** It could not be entered: what was not begun before is as it was. */
async function leave({ finding, deps, state }: Way, cause: unknown): Promise<void> {
  if (finding.kind === 'begun') {
    state.move({ kind: 'failed', cause });
    return;
  }
  await tidyUp(finding.node, deps);
  state.move({ kind: 'put-back', cause, totalMs: 0 });
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
  const begunMs = deps.clock.monotonicMs();
  try {
    const { containers, unitsMs, seenMs } = await withinTime(way);
    const totalMs = deps.clock.monotonicMs() - begunMs;
    state.move({ kind: 'converted', durations: { totalMs, unitsMs, seenMs }, containers });
  } catch (error) {
    deps.signal.throwIfAborted();
    if (state.current.kind === 'planned') await leave(way, error);
    else await back(way, error);
  }
  return resultOf(finding, state.current);
}
