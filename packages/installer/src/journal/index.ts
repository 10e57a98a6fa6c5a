export { openJournal, type Journal } from './journal.ts';
export type { JournalRecord, RunState, StepProgress } from './records.ts';
