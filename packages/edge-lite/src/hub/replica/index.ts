export { ChangeCursor } from './change-cursor.ts';
export { isHeartbeat } from './content.ts';
export { createReplica, type ReplicaDeps, type ReplicaOptions, type RunningReplica } from './replica.ts';
export type { MatchesSelection } from './upstream-changes.ts';
export { natural, naturalText, parseVersion, upstreamText } from './versions.ts';
