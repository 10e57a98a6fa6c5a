export {
  createPointEntries,
  type PointEntries,
  type PointEntriesDeps,
  type PointEntriesOptions,
} from './points.ts';
export { createReads } from './reads.ts';
export type { ReadsDeps, ReadsOptions, Types } from './types.ts';
