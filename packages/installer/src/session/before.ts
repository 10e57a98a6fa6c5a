import type { ContainersBefore, ServicesBefore } from '../cluster/index.ts';
import { readIfThere } from '../files/index.ts';
import type { JournalPlace } from '../journal/index.ts';
import { limits } from '../limits.ts';
import type { MachineSession } from './session.ts';

/** What waits on the disk of a machine. */
export interface Remembered extends ContainersBefore {
  /** Absent: nothing is asked of Services later. */
  readonly services?: ServicesBefore | undefined;
}

type Kept = Pick<MachineSession, 'files' | 'place'>;

const beforeOf = ({ folder }: JournalPlace): string => `${folder}/before.json`;

/** Keeps what there was before the first change, for whoever goes on. */
export async function remember(
  { files, place }: Kept,
  before: Remembered,
  signal: AbortSignal,
): Promise<void> {
  const file = { content: `${JSON.stringify(before)}\n`, mode: 0o600 };
  await files.write(beforeOf(place), file, signal);
}

/** undefined if it was not kept. */
export async function recall({ files, place }: Kept, signal: AbortSignal): Promise<Remembered | undefined> {
  const text = await readIfThere(files, { path: beforeOf(place), maxBytes: limits.maxReadBytes }, signal);
  // Written whole, by `remember`, where only root writes.
  return text === undefined ? undefined : (JSON.parse(text) as Remembered);
}
