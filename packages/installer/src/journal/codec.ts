import { hash } from 'node:crypto';
import type { JournalRecord } from './records.ts';

/** What a journal says. */
export type JournalReading =
  | { readonly kind: 'whole'; readonly records: readonly JournalRecord[]; readonly last: string }
  /** Lines were changed, lost or added. What stands before them can be believed. */
  | { readonly kind: 'damaged'; readonly line: number; readonly records: readonly JournalRecord[] };

const first = '0'.repeat(64);

function seal(previous: string, json: string): string {
  return hash('sha256', `${previous}\n${json}`);
}

/** A record as a line that follows the line sealed with `last` (default: the first one), and its own seal. */
export function encodeRecord(
  record: JournalRecord,
  last = first,
): { readonly line: string; readonly seal: string } {
  const json = JSON.stringify(record);
  const sealed = seal(last, json);
  return { line: `${sealed} ${json}\n`, seal: sealed };
}

/**
 * Reads a journal. Each line is sealed with a hash of itself and of the one before, so no line can be missing or changed
 * in between. A last line without its end was being written when the power went: what it announced was not begun.
 */
export function decodeJournal(text: string): JournalReading {
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
  const records: JournalRecord[] = [];
  let last = first;
  for (const [at, line] of lines.entries()) {
    const [sealed, json] = [line.slice(0, 64), line.slice(65)];
    if (line[64] !== ' ' || sealed !== seal(last, json)) return { kind: 'damaged', line: at + 1, records };
    // Sealed: it is what a journal wrote.
    records.push(JSON.parse(json) as JournalRecord);
    last = sealed;
  }
  return { kind: 'whole', records, last };
}
