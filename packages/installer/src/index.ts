export { openArtifacts, type Architecture, type Artifact, type Artifacts } from './artifacts/index.ts';
export {
  check,
  describeCheck,
  type CheckDeps,
  type CheckOptions,
  type CheckResult,
  type Finding,
  type Severity,
} from './check/index.ts';
export { type CliHost, runCli } from './cli/index.ts';
export type { CloudOptions } from './cloud/index.ts';
export type { CommandContext, Plan, Progress } from './command/index.ts';
export {
  convert,
  describeConvert,
  type ConvertDeps,
  type ConvertOptions,
  type ConvertResult,
} from './convert/index.ts';
export {
  createUnit,
  listUnits,
  moveNode,
  type NodeMoved,
  type UnitCreateOptions,
  type UnitCreated,
  type UnitDeps,
  type UnitList,
  type UnitMoveOptions,
} from './edge-units/index.ts';
export {
  type ApiAccess,
  connectSshHost,
  createJobHosts,
  createLocalHost,
  createSudoHost,
  type Host,
  type HostCommand,
  type HostResult,
  type Hosts,
  type JobDeps,
  type JobOptions,
  type SshOptions,
  type SudoOptions,
} from './host/index.ts';
export {
  describeJoin,
  join,
  type JoinArtifacts,
  type JoinDeps,
  type JoinOptions,
  type JoinResult,
} from './join/index.ts';
export { describeReset, reset, type ResetDeps, type ResetOptions, type ResetResult } from './reset/index.ts';
export {
  describeRevert,
  revert,
  type RevertDeps,
  type RevertOptions,
  type RevertResult,
} from './revert/index.ts';
export {
  describeStatus,
  status,
  type StatusDeps,
  type StatusOptions,
  type StatusResult,
} from './status/index.ts';
export {
  describeSupportDump,
  supportDump,
  type SupportDumpDeps,
  type SupportDumpOptions,
  type SupportDumpResult,
} from './support-dump/index.ts';
export {
  createToken,
  deleteTokens,
  listTokens,
  type TokenCreateOptions,
  type TokenCreated,
  type TokenDeps,
  type TokenList,
  type TokensDeleted,
} from './token/index.ts';
export { version } from './version.ts';
