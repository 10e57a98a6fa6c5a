export { check } from './check.ts';
export { describeCheck } from './describe.ts';
export type { CheckDeps, CheckOptions, CheckResult, Finding, Severity } from './types.ts';
