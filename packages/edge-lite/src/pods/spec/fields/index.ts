export { podRules } from './pod-rules.ts';
export { refusals, type Refusal } from './refusals.ts';
export type { Rule } from './rule.ts';
