import { SelvedgeError } from '@selvedge/kit';
import type { BegunRun, Journal, RunState } from '../journal/index.ts';
import type { Executor, Executors } from './executor.ts';
import type { Before, Step } from './types.ts';

/** What is told while steps are done. `at` counts from 0. */
export interface StepEvent {
  readonly kind: 'begin' | 'end';
  readonly direction: 'apply' | 'undo';
  readonly at: number;
  readonly of: number;
  readonly step: Step;
}

export interface RunDeps {
  readonly journal: Journal;
  readonly executors: Executors;
  readonly onEvent: (event: StepEvent) => void;
  /** Only so many steps, from the first one on: the run goes on after them, and does not end. Default: all. */
  readonly first?: number;
  /**
   * What must be so before a run counts as done: it is looked at when all steps are. A run of which the last step is done and
   * this is not goes on here.
   */
  readonly check?: (signal: AbortSignal) => Promise<void>;
}

function executorOf(executors: Executors, step: Step): Executor<Step> {
  // The table has for each kind the executor of that kind.
  return executors[step.kind];
}

function begun(state: RunState): BegunRun {
  if (state.kind !== 'none') return state;
  throw new SelvedgeError('the journal of this machine is empty', { code: 'NotFound' });
}

/** What was there before a step. If it was begun once, that is known, and may be gone. */
async function beforeOf(at: number, { journal, executors }: RunDeps, signal: AbortSignal): Promise<Before> {
  const entry = begun(journal.state).steps[at];
  if (entry === undefined) throw new SelvedgeError(`there is no step ${at}`, { code: 'Internal' });
  if ('before' in entry.progress) return entry.progress.before;
  const before = await executorOf(executors, entry.step).look(entry.step, signal);
  await journal.write({ kind: 'doing', step: at, before }, signal);
  return before;
}

/**
 * Does the steps of the run that the journal tells of, those that are left. Stops at the first that fails, or when the
 * signal says so; called again, by whomever, it goes on there.
 */
export async function applySteps(deps: RunDeps, signal: AbortSignal): Promise<void> {
  const { journal, executors, onEvent, first } = deps;
  const { steps, kind } = begun(journal.state);
  if (kind === 'done') return;
  for (const [at, { step, progress }] of steps.slice(0, first).entries()) {
    if (progress.kind === 'done') continue;
    signal.throwIfAborted();
    const event = { direction: 'apply', at, of: steps.length, step } as const;
    onEvent({ ...event, kind: 'begin' });
    const before = await beforeOf(at, deps, signal);
    await executorOf(executors, step).apply(step, before, signal);
    await journal.write({ kind: 'did', step: at }, signal);
    onEvent({ ...event, kind: 'end' });
  }
  if (first !== undefined) return;
  await deps.check?.(signal);
  await journal.write({ kind: 'ended', as: 'done' }, signal);
}

/** Takes back, in reverse, what the journal tells was done or begun. Stops and goes on as `applySteps` does. */
export async function undoSteps(deps: RunDeps, signal: AbortSignal): Promise<void> {
  const { journal, executors, onEvent } = deps;
  const { steps, kind } = begun(journal.state);
  if (kind === 'undone') return;
  for (const [at, { step, progress }] of [...steps.entries()].toReversed()) {
    if (!('before' in progress)) continue;
    signal.throwIfAborted();
    const event = { direction: 'undo', at, of: steps.length, step } as const;
    onEvent({ ...event, kind: 'begin' });
    await journal.write({ kind: 'undoing', step: at }, signal);
    await executorOf(executors, step).undo(step, progress.before, signal);
    await journal.write({ kind: 'undid', step: at }, signal);
    onEvent({ ...event, kind: 'end' });
  }
  await journal.write({ kind: 'ended', as: 'undone' }, signal);
}
