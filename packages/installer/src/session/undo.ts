import type { Clock } from '@selvedge/kit';
import { runId } from '../journal/index.ts';
import { type Executors, type StepEvent, createExecutors, noSources, undoSteps } from '../steps/index.ts';
import type { MachineSession } from './session.ts';
import { refuseUntold } from './untold.ts';

export interface UndoDeps {
  readonly clock: Clock;
  /** Told what stays as somebody else made it since. */
  readonly onKept: (text: string) => void;
  readonly onEvent?: (event: StepEvent) => void;
  /** Steps that go back in another way. Default: none. */
  readonly instead?: ((executors: Executors) => Partial<Executors>) | undefined;
}

/**
 * Takes back what the journal of a machine tells of; nothing where no run was begun. The journal stays. Throws as `undoSteps`, and
 * `Corrupt` if more was done than it tells, before anything is taken back.
 */
export async function undoRun(
  { host, files, journal, traces }: Pick<MachineSession, 'host' | 'files' | 'journal' | 'traces'>,
  { clock, onKept, onEvent = () => undefined, instead = () => ({}) }: UndoDeps,
  signal: AbortSignal,
): Promise<void> {
  await refuseUntold({ host, files, state: journal.state, traces }, signal);
  if (journal.state.kind === 'none') return;
  const run = runId(journal.state);
  const usual = createExecutors({ host, files, run, clock, sources: noSources, onNote: onKept });
  await undoSteps({ journal, executors: { ...usual, ...instead(usual) }, onEvent }, signal);
}
