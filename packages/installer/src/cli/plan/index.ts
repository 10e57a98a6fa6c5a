export { planText, type PlanTextOptions } from './plan-text.ts';
