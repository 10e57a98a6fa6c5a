export { decodeJournal, type JournalReading } from './codec.ts';
export { configIn, type JournalledConfig } from './config.ts';
export { describeRun } from './describe.ts';
export { openJournal, readJournal, type Journal, type JournalContent } from './journal.ts';
export { lockMachine, type LockDeps, type LockOptions, type MachineLock } from './lock.ts';
export { newRun } from './new-run.ts';
export { forgetJournal, journalPlace, type JournalPlace } from './place.ts';
export { runId, type BegunRun, type JournalRecord, type RunState, type StepProgress } from './records.ts';
