export { describeStatus } from './describe.ts';
export { status } from './status.ts';
export type { NodeKind, NodeStatus, StatusDeps, StatusOptions, StatusResult, UnitStatus } from './types.ts';
