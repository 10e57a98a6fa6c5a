export { isHeld, keepsPods, nextFate, type FateOptions } from './next-fate.ts';
export { isRecorded, messageOf, recalledFate, recordOf, timestamp, type RecordedFate } from './recorded.ts';
export type { Facts, Fate, Peers } from './types.ts';
