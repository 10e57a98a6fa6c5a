import { type Clock, type Random, hasCode, scoped } from '@selvedge/kit';
import type { ContainersBefore, ServicesBefore } from '../cluster/index.ts';
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
export interface Home {
  /** Of who entered it. */
  readonly run: string;
  readonly host: Host;
  readonly files: HostFiles;
  readonly place: JournalPlace;
  readonly journal: Journal;
}

export interface HomeDeps {
  readonly hosts: Hosts;
  readonly clock: Clock;
  readonly random: Random;
  /** Where things are kept on machines. Default: that of `journalPlace`. */
  readonly folder?: string;
}

/** What waits on the disk of a machine. */
export interface Remembered extends ContainersBefore {
  /** Absent: nothing is asked of Services later. */
  readonly services?: ServicesBefore | undefined;
}

export interface EnteringDeps extends HomeDeps {
  readonly progress: Pick<Progress, 'note'>;
  readonly signal: AbortSignal;
}

const maxBytes = 16 * 2 ** 20;
const beforeOf = ({ folder }: JournalPlace): string => `${folder}/before.json`;

export interface Entering {
  readonly machine: Machine;
  readonly command: string;
  /** Who comes back with the same one is the same. Default: one of its own. */
  readonly run?: string;
}

/**
 * Enters a machine, takes it for this run and reads its journal, for as long as `work` takes; its signal is aborted when the
 * machine is lost. Where nothing was begun nothing is left. Throws `Corrupt` if the journal is damaged, `Conflict` if another
 * run has the machine.
 */
export async function withHome<T>(
  { machine, command, run: given }: Entering,
  { hosts, clock, random, progress, folder, signal }: EnteringDeps,
  work: (home: Home, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  await using host = await hosts.open(machine, signal);
  const place = journalPlace(folder);
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

/** Keeps what there was before the first change, for whoever goes on. */
export async function remember(home: Home, before: Remembered, signal: AbortSignal): Promise<void> {
  const file = { content: `${JSON.stringify(before)}\n`, mode: 0o600 };
  await home.files.write(beforeOf(home.place), file, signal);
}

/** undefined if it was not kept. */
export async function recall(home: Home, signal: AbortSignal): Promise<Remembered | undefined> {
  try {
    const text = await home.files.read(beforeOf(home.place), { maxBytes }, signal);
    // Written whole, by `remember`, where only root writes.
    return JSON.parse(text.toString()) as Remembered;
  } catch (error) {
    if (hasCode(error, 'NotFound')) return undefined;
    throw error;
  }
}
