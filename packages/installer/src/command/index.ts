export { isDone, type Plan, type PlanPart, type PlannedChange } from './plan.ts';
export { changesIn, type StepWords } from './step-words.ts';
export type { CommandContext, Progress } from './types.ts';
