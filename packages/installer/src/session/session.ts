import { type Clock, type Random, messageOf, scoped } from '@selvedge/kit';
import type { Progress } from '../command/index.ts';
import { type HostFiles, createHostFiles } from '../files/index.ts';
import type { Host, Hosts, Machine } from '../host/index.ts';
import {
  type Journal,
  type JournalPlace,
  forgetJournal,
  journalPlace,
  lockMachine,
  newRun,
  openJournal,
} from '../journal/index.ts';
import { type Traces, nodeTraces, refuseUntold } from './untold.ts';

/** A machine that is ours to change, and what was done on it. */
export interface MachineSession {
  /** Of who entered it. */
  readonly run: string;
  readonly host: Host;
  readonly files: HostFiles;
  readonly place: JournalPlace;
  readonly journal: Journal;
  /** What tells of runs that are not in it. */
  readonly traces: Traces;
  /** All was taken back: when the machine is left, its journal goes. */
  readonly forget: () => void;
}

export interface SessionDeps {
  readonly hosts: Hosts;
  readonly clock: Clock;
  readonly random: Random;
  /** Where things are kept on machines. Default: that of `journalPlace`. */
  readonly folder?: string;
}

export interface EnteringDeps extends SessionDeps {
  readonly progress: Pick<Progress, 'note'>;
  readonly signal: AbortSignal;
}

/** Who enters. */
export interface Entering {
  readonly command: string;
  /** Who comes back with the same one is the same. Default: one of its own. */
  readonly run?: string | undefined;
  /** Of runs that are not in its journal. Default: those of conversions. */
  readonly traces?: Traces;
}

type Work<T> = (session: MachineSession, signal: AbortSignal) => Promise<T>;

export interface Entered extends Entering {
  readonly host: Host;
  /** Of its journal. */
  readonly place: JournalPlace;
}

/** `withSession`, on a machine that is entered already. */
export async function withSessionOn<T>(
  { host, place, command, run: given, traces = nodeTraces }: Entered,
  { clock, random, progress, signal }: Omit<EnteringDeps, 'hosts' | 'folder'>,
  work: Work<T>,
): Promise<T> {
  const run = given ?? newRun(random);
  const owner = `${command}, run ${run}`;
  const onNote = (text: string): void => progress.note(text);
  await using lock = await lockMachine({ owner, place }, { host, clock, onNote }, signal);
  using scope = scoped(signal, lock.signal);
  const files = createHostFiles(host);
  const journal = await openJournal(place.journal, files, scope.signal);
  let isOver = false;
  const forget = (): void => {
    isOver = true;
  };
  const leave = async (): Promise<void> => {
    const { state } = journal;
    if (scope.signal.aborted || !(isOver || state.kind === 'none')) return;
    await refuseUntold({ host, files, state, traces }, scope.signal);
    // Here alone, and last: who enters from now on has a journal of its own.
    await forgetJournal(host, place, scope.signal);
  };
  let result: T;
  try {
    result = await work({ run, host, files, place, journal, traces, forget }, scope.signal);
  } catch (cause) {
    // Why the work failed is what counts; that the journal stays is told beside it.
    await leave().catch((error: unknown) => onNote(messageOf(error)));
    throw cause;
  }
  await leave();
  return result;
}

/**
 * Enters a machine, takes it for this run and reads its journal, for as long as `work` takes; its signal is aborted when the
 * machine is lost. Where nothing was begun nothing is left. Throws `Corrupt` if the journal is damaged, `Conflict` if another
 * run has the machine. Where more was done than the journal tells it stays, and that is thrown as `Corrupt`.
 */
export async function withSession<T>(
  { machine, ...who }: Entering & { readonly machine: Machine },
  { hosts, folder, ...deps }: EnteringDeps,
  work: Work<T>,
): Promise<T> {
  await using host = await hosts.open(machine, deps.signal);
  return await withSessionOn({ ...who, host, place: journalPlace(folder) }, deps, work);
}
