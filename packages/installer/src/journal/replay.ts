import { SelvedgeError } from '@selvedge/kit';
import type { BegunRun, JournalRecord, RunState, StepProgress } from './records.ts';

type StepRecord = Extract<JournalRecord, { step: number }>;

function wrong(record: JournalRecord): SelvedgeError {
  return new SelvedgeError(`unexpected record "${record.kind}" in the journal`, { code: 'Corrupt' });
}

function next(progress: StepProgress, record: StepRecord): StepProgress {
  if (record.kind === 'doing') return { kind: 'doing', before: record.before };
  if (record.kind === 'undid') return { kind: 'undone' };
  if (!('before' in progress)) throw wrong(record);
  return { kind: record.kind === 'did' ? 'done' : 'undoing', before: progress.before };
}

function moved(state: BegunRun, record: StepRecord): BegunRun {
  if (state.steps[record.step] === undefined) throw wrong(record);
  const steps = state.steps.map((one, at) =>
    at === record.step ? { ...one, progress: next(one.progress, record) } : one,
  );
  return { ...state, steps };
}

function follow(state: RunState, record: JournalRecord): RunState {
  if (record.kind === 'begun') {
    // What things were before that run would be forgotten.
    if (state.kind === 'begun' || state.kind === 'done') throw wrong(record);
    const steps = record.steps.map((step) => ({ step, progress: { kind: 'todo' } as const }));
    return { kind: 'begun', run: record.run, command: record.command, steps };
  }
  if (state.kind === 'none') throw wrong(record);
  return record.kind === 'ended' ? { ...state, kind: record.as } : moved({ ...state, kind: 'begun' }, record);
}

/** Where a run is after these records. Throws `Corrupt` for records in an order that no run writes. */
export function replay(records: readonly JournalRecord[]): RunState {
  return records.reduce<RunState>(follow, { kind: 'none' });
}
