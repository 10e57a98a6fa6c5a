import { SelvedgeError, hasCode } from '@selvedge/kit';
import type { HostFiles } from '../files/index.ts';
import { decodeJournal, encodeRecord } from './codec.ts';
import type { JournalRecord, RunState } from './records.ts';
import { replay } from './replay.ts';

/** The journal of a machine, on its own disk: whoever comes next, from wherever, knows what was done. */
export interface Journal {
  readonly state: RunState;
  /** Returns when the record is on the disk. */
  write(record: JournalRecord, signal?: AbortSignal): Promise<void>;
}

const maxBytes = 16 * 2 ** 20;

async function readIfThere(files: HostFiles, path: string, signal?: AbortSignal): Promise<string> {
  try {
    return (await files.read(path, { maxBytes }, signal)).toString();
  } catch (error) {
    if (hasCode(error, 'NotFound')) return '';
    throw error;
  }
}

function damaged(path: string, line: number, known: number): SelvedgeError {
  return new SelvedgeError(`the journal ${path} is damaged in line ${line}`, {
    code: 'Corrupt',
    hint: `what the ${known} lines before it say is shown by \`selvedge status\`; nothing was changed`,
  });
}

/** Reads the journal of a machine. Throws `Corrupt` if it is damaged: nothing is guessed. */
export async function openJournal(path: string, files: HostFiles, signal?: AbortSignal): Promise<Journal> {
  const text = await readIfThere(files, path, signal);
  const reading = decodeJournal(text);
  if (reading.kind === 'damaged') throw damaged(path, reading.line, reading.records.length);
  let records = reading.records;
  let state = replay(records);
  let last = reading.last;
  // What was written of a line when the power went would stand before the next one.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole !== text) await files.write(path, { content: whole, mode: 0o600 }, signal);
  return {
    get state() {
      return state;
    },
    async write(record, within) {
      const next = replay([...records, record]);
      const { line, seal } = encodeRecord(record, last);
      await files.append(path, line, within);
      records = [...records, record];
      [state, last] = [next, seal];
    },
  };
}
