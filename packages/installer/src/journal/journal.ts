import { SelvedgeError } from '@selvedge/kit';
import { type HostFiles, readIfThere } from '../files/index.ts';
import { limits } from '../limits.ts';
import { type JournalReading, decodeJournal, encodeRecord } from './codec.ts';
import { describeRun } from './describe.ts';
import type { JournalRecord, RunState } from './records.ts';
import { replay } from './replay.ts';

/** The journal of a machine, on its own disk: whoever comes next, from wherever, knows what was done. */
export interface Journal {
  readonly state: RunState;
  /** Returns when the record is on the disk. */
  write(record: JournalRecord, signal?: AbortSignal): Promise<void>;
}

const textOf = async (files: Pick<HostFiles, 'read'>, path: string, signal?: AbortSignal): Promise<string> =>
  (await readIfThere(files, { path, maxBytes: limits.maxReadBytes }, signal)) ?? '';

function damaged(
  path: string,
  { line, records }: Extract<JournalReading, { kind: 'damaged' }>,
): SelvedgeError {
  const known = describeRun(replay(records));
  return new SelvedgeError(`the journal ${path} is damaged at line ${line}; up to there: ${known}`, {
    code: 'Corrupt',
    hint: 'no changes were made; restore by hand: the originals of edited files are next to them, as .NAME.selvedge-RUN',
  });
}

/** What a journal tells, also a damaged one. */
export interface JournalContent {
  /** Where the run is; of a damaged journal: where it was before the damage, and it may have gone on since. */
  readonly state: RunState;
  /** The first line that cannot be believed; undefined: all can. */
  readonly damagedLine: number | undefined;
}

/** Reads the journal of a machine for people, and changes nothing. */
export async function readJournal(
  path: string,
  files: Pick<HostFiles, 'read'>,
  signal?: AbortSignal,
): Promise<JournalContent> {
  const reading = decodeJournal(await textOf(files, path, signal));
  const damagedLine = reading.kind === 'damaged' ? reading.line : undefined;
  return { state: replay(reading.records), damagedLine };
}

interface Known {
  readonly records: readonly JournalRecord[];
  readonly state: RunState;
  /** The seal of the last line. */
  readonly last: string;
}

/** Reads it, and takes away what was written of a line when the power went: it would stand before the next one. */
async function load(path: string, files: HostFiles, signal?: AbortSignal): Promise<Known> {
  const text = await textOf(files, path, signal);
  const reading = decodeJournal(text);
  if (reading.kind === 'damaged') throw damaged(path, reading);
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole !== text) await files.shorten(path, Buffer.byteLength(whole), signal);
  return { records: reading.records, state: replay(reading.records), last: reading.last };
}

/** Reads the journal of a machine. Throws `Corrupt` if it is damaged: nothing is guessed. */
export async function openJournal(path: string, files: HostFiles, signal?: AbortSignal): Promise<Journal> {
  let known = await load(path, files, signal);
  let isSure = true;
  return {
    get state() {
      return known.state;
    },
    async write(record, within) {
      // Whether the line before came to the disk nobody said.
      if (!isSure) known = await load(path, files, within);
      const records = [...known.records, record];
      const state = replay(records);
      const { line, seal } = encodeRecord(record, known.last);
      isSure = false;
      await files.append(path, line, within);
      [known, isSure] = [{ records, state, last: seal }, true];
    },
  };
}
