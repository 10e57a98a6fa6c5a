export {
  contentOf,
  hashOfContent,
  planHistory,
  type HistoryFacts,
  type HistoryPlan,
  type Revision,
  type RevisionContent,
} from './revisions.ts';
export { lastWave, wavesOf, type Waves, type WavesOptions } from './waves.ts';
export { isOpen, nextOpening, parseWindows, type Windows } from './windows.ts';
