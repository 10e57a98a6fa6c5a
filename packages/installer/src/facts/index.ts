export { flagOf } from './flags.ts';
export { systemdProperties } from './formats.ts';
export { gatherFacts } from './gather.ts';
export { plainLines, rancherConfigs } from './rancher-config.ts';
export { canReach } from './reach.ts';
export { talksTo } from './talks-to.ts';
export type {
  CertificateFacts,
  CniFacts,
  DiskFacts,
  FileFacts,
  KernelFeatures,
  ListeningPort,
  NodeFacts,
  OsFacts,
  ProcessFacts,
  SelvedgeFacts,
  UnitFacts,
} from './types.ts';
