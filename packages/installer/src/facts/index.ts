export { gatherFacts } from './gather.ts';
export type {
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
