import { SelvedgeError, type StateMachine, hasCode, withDeadline } from '@selvedge/kit';
import type { ClusterClient, Restarts } from '../cluster/index.ts';
import type { Progress } from '../command/index.ts';
import { configIn, runId } from '../journal/index.ts';
import { defaultPorts } from '../places.ts';
import { type MachineSession, type SessionDeps, refuseUntold, watchSteps } from '../session/index.ts';
import { type Sources, type Step, applySteps, createExecutors } from '../steps/index.ts';
import { type Before, begin } from './begin.ts';
import type { NodeState } from './node-state.ts';
import type { Workable } from './plan.ts';
import type { NodeDurations } from './types.ts';
import { verify } from './verify.ts';

export interface NodeDeps extends SessionDeps {
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

/** A node on its way to be an edge node. */
export interface Way {
  readonly finding: Workable;
  readonly deps: NodeDeps;
  readonly progress: Progress;
  readonly state: StateMachine<NodeState>;
}

/** What was seen of a node that all steps are done on. */
export interface Seen extends Omit<NodeDurations, 'totalMs'> {
  readonly containers: Restarts;
}

interface Applying {
  readonly session: MachineSession;
  readonly before: Before;
}

async function apply(
  { finding, deps, progress, state }: Way,
  { session, before }: Applying,
  signal: AbortSignal,
): Promise<Seen> {
  const { clock, cluster, timeoutMs, sources } = deps;
  const { host, files, journal } = session;
  const onNote = (text: string): void => progress.note(text);
  const watch = watchSteps(clock, onNote);
  const run = runId(journal.state);
  const executors = createExecutors({ host, files, run, clock, sources });
  const look = async (within: AbortSignal): Promise<Seen> => {
    const beginMs = clock.monotonicMs();
    state.move({ kind: 'verifying' });
    const verification = {
      node: finding.node.name,
      session,
      layout: finding.machine.layout,
      before: before.remembered,
      // Of the run that goes on, whatever was asked for now.
      hubPort: configIn(journal.state)?.modules?.hub?.port ?? defaultPorts.hub,
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

async function forward(way: Way, session: MachineSession, signal: AbortSignal): Promise<Seen> {
  const { finding, deps, state } = way;
  state.move({ kind: 'applying' });
  if (finding.kind === 'begun') await refuseUntold({ ...session, state: session.journal.state }, signal);
  const before = await begin({ finding, session }, deps, signal);
  return await apply(way, { session, before }, signal);
}

/** Remembers what was said last. */
function listening(way: Way): { readonly way: Way; readonly last: () => string | undefined } {
  let last: string | undefined;
  const progress: Progress = {
    task: (title, work) => way.progress.task(title, work),
    note(text) {
      last = text;
      way.progress.note(text);
    },
  };
  return { way: { ...way, progress }, last: () => last };
}

/** What took too long says what was waited for at last, unless it does. Pure. */
export function withLast(cause: unknown, last: string | undefined): unknown {
  if (last === undefined || !hasCode(cause, 'DeadlineExceeded') || cause.message.includes(last)) return cause;
  return new SelvedgeError(`${cause.message}: ${last}`, { code: 'DeadlineExceeded', cause });
}

/**
 * Goes forward for so long; when it fails, everything that it began has ended. Throws `DeadlineExceeded` with what it waited for at last,
 * and as `verify`.
 */
export async function attempt(way: Way, session: MachineSession, signal: AbortSignal): Promise<Seen> {
  const { finding, deps } = way;
  const { timeoutMs, clock } = deps;
  const running: Promise<unknown>[] = [];
  const heard = listening(way);
  try {
    return await withDeadline({ what: finding.node.name, timeoutMs, signal }, clock, (within) => {
      const work = forward(heard.way, session, within);
      running.push(work);
      return work;
    });
  } catch (cause) {
    throw withLast(cause, heard.last());
  } finally {
    await Promise.allSettled(running);
  }
}
