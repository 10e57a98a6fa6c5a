import { type Clock, type Random, scoped } from '@selvedge/kit';
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

/** A machine that is ours to change, and what was done on it. */
export interface MachineSession {
  /** Of who entered it. */
  readonly run: string;
  readonly host: Host;
  readonly files: HostFiles;
  readonly place: JournalPlace;
  readonly journal: Journal;
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
}

type Work<T> = (session: MachineSession, signal: AbortSignal) => Promise<T>;

/** `withSession`, on a machine that is entered already; its journal is at `place`. */
export async function withSessionOn<T>(
  { host, place, command, run: given }: Entering & { readonly host: Host; readonly place: JournalPlace },
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
  try {
    return await work({ run, host, files, place, journal }, scope.signal);
  } finally {
    if (journal.state.kind === 'none' && !scope.signal.aborted)
      await forgetJournal(host, place, scope.signal);
  }
}

/**
 * Enters a machine, takes it for this run and reads its journal, for as long as `work` takes; its signal is aborted when the
 * machine is lost. Where nothing was begun nothing is left. Throws `Corrupt` if the journal is damaged, `Conflict` if another
 * run has the machine.
 */
export async function withSession<T>(
  { machine, ...who }: Entering & { readonly machine: Machine },
  { hosts, folder, ...deps }: EnteringDeps,
  work: Work<T>,
): Promise<T> {
  await using host = await hosts.open(machine, deps.signal);
  return await withSessionOn({ ...who, host, place: journalPlace(folder) }, deps, work);
}
