import { SelvedgeError, type StateMachine, hasCode, withDeadline } from '@selvedge/kit';
import { type ClusterClient, type Restarts, timeoutHint } from '../cluster/index.ts';
import type { Progress } from '../command/index.ts';
import { configIn, runId } from '../journal/index.ts';
import { defaultPorts } from '../places.ts';
import {
  type MachineSession,
  type SessionDeps,
  type StepsWatch,
  refuseUntold,
  watchSteps,
} from '../session/index.ts';
import { type RunDeps, type Sources, type Step, applySteps, createExecutors } from '../steps/index.ts';
import { type Before, begin, sendingSteps } from './begin.ts';
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

/** A run on a machine, and who does its steps. */
interface Work {
  readonly session: MachineSession;
  readonly before: Before;
  readonly watch: StepsWatch;
  readonly steps: RunDeps;
}

function workOf({ deps, progress }: Way, session: MachineSession, before: Before): Work {
  const { clock, sources } = deps;
  const { host, files, journal } = session;
  const watch = watchSteps(clock, (text) => progress.note(text));
  const executors = createExecutors({ host, files, run: runId(journal.state), clock, sources });
  return { session, before, watch, steps: { journal, executors, onEvent: watch.onEvent } };
}

async function apply(
  { finding, deps, progress, state }: Way,
  { session, before, watch, steps }: Work,
  signal: AbortSignal,
): Promise<Seen> {
  const { clock, cluster, timeoutMs } = deps;
  const onNote = (text: string): void => progress.note(text);
  const look = async (within: AbortSignal): Promise<Seen> => {
    const beginMs = clock.monotonicMs();
    state.move({ kind: 'verifying' });
    const verification = {
      node: finding.node.name,
      session,
      layout: finding.machine.layout,
      before: before.remembered,
      // Of the run that goes on, whatever was asked for now.
      hubPort: configIn(session.journal.state)?.modules?.hub?.port ?? defaultPorts.hub,
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
  await applySteps({ ...steps, check }, signal);
  // Another run ended it after it was looked at.
  return found.seen ?? (await look(signal));
}

/** Begins, and sends what is large: that takes as long as the line to the machine makes it, and then what is there is looked at. */
async function send(way: Way, session: MachineSession, signal: AbortSignal): Promise<Work> {
  const { finding, deps, state } = way;
  state.move({ kind: 'applying' });
  if (finding.kind === 'begun') await refuseUntold({ ...session, state: session.journal.state }, signal);
  const work = workOf(way, session, await begin({ finding, session }, deps, signal));
  const first = sendingSteps(session);
  if (first === 0) return work;
  state.move({ kind: 'uploading' });
  await applySteps({ ...work.steps, first }, signal);
  state.move({ kind: 'applying' });
  return { ...work, before: await begin({ finding, session }, deps, signal) };
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
  const hint = cause.hint === undefined ? {} : { hint: cause.hint };
  return new SelvedgeError(`${cause.message}: ${last}`, { code: 'DeadlineExceeded', cause, ...hint });
}

/** A node's own time is over: a person may give it more. */
function withHint(cause: unknown, deadline: AbortSignal | undefined): unknown {
  if (!hasCode(cause, 'DeadlineExceeded') || cause !== deadline?.reason) return cause;
  return new SelvedgeError(cause.message, { code: 'DeadlineExceeded', cause, hint: timeoutHint });
}

/** Goes on for so long; when it fails, everything that it began has ended. */
async function inTime(way: Way, sent: Work, signal: AbortSignal): Promise<Seen> {
  const { finding, deps } = way;
  const running: { work?: Promise<unknown>; deadline?: AbortSignal } = {};
  const deadline = { what: finding.node.name, timeoutMs: deps.timeoutMs, signal };
  try {
    return await withDeadline(deadline, deps.clock, (within) => {
      const work = apply(way, sent, within);
      Object.assign(running, { work, deadline: within });
      return work;
    });
  } catch (cause) {
    throw withHint(cause, running.deadline);
  } finally {
    await Promise.allSettled([running.work]);
  }
}

/**
 * Goes forward, from the end of its uploads on for so long; when it fails, everything that it began has ended. Throws
 * `DeadlineExceeded` with what it waited for at last, and as `verify`.
 */
export async function attempt(way: Way, session: MachineSession, signal: AbortSignal): Promise<Seen> {
  const heard = listening(way);
  try {
    const sent = await send(heard.way, session, signal);
    return await inTime(heard.way, sent, signal);
  } catch (cause) {
    throw withLast(cause, heard.last());
  }
}
