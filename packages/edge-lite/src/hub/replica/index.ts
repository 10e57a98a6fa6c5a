export { createReplica, type ReplicaDeps, type ReplicaOptions, type RunningReplica } from './replica.ts';
export type { MatchesSelection } from './upstream-changes.ts';
export { natural, naturalText, parseVersion, upstreamOf, upstreamText } from './versions.ts';
