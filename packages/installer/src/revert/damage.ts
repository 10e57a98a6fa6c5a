import type { JournalRecord } from '../journal/index.ts';
import { stepTitle } from '../steps/index.ts';

type Begun = Extract<JournalRecord, { kind: 'begun' }>;

function thingOf(run: Begun | undefined, at: number): string {
  const step = run?.steps[at];
  return step === undefined ? `step ${at + 1}` : stepTitle(step);
}

function lineOf(record: JournalRecord, run: Begun | undefined): string {
  if (record.kind === 'begun') return `${record.at}: ${record.command}, ${record.steps.length} steps`;
  if (record.kind === 'ended') return record.as;
  const thing = thingOf(run, record.step);
  const kept =
    record.kind === 'doing' && record.before.kind === 'file'
      ? `; the original is ${record.before.backup}`
      : '';
  return `${record.kind}: ${thing}${kept}`;
}

/** What records of a journal say, for people, line by line. Pure. */
export function describeRecords(records: readonly JournalRecord[]): readonly string[] {
  let run: Begun | undefined;
  return records.map((record) => {
    if (record.kind === 'begun') run = record;
    return lineOf(record, run);
  });
}
