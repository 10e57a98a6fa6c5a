export { describeReset } from './describe.ts';
export { reset } from './reset.ts';
export type { ResetDeps, ResetOptions, ResetResult } from './types.ts';
