export { isDone, type Plan, type PlanPart, type PlannedChange } from './plan.ts';
export type { CommandContext, Progress } from './types.ts';
