export type { CloneFacts } from './health.ts';
export { isGoingBack } from './position.ts';
export { planRollout, type RolloutPlan } from './plan-rollout.ts';
export {
  contentOf,
  hashOfContent,
  planHistory,
  type HistoryFacts,
  type HistoryPlan,
  type Revision,
  type RevisionContent,
} from './revisions.ts';
export type { RolloutFacts } from './seen-units.ts';
export type { RolloutStep } from './steps.ts';
export type { UnitFacts } from './unit-state.ts';
export { lastWave, wavesOf, type Waves, type WavesOptions } from './waves.ts';
export { isOpen, nextOpening, parseWindows, type Windows } from './windows.ts';
