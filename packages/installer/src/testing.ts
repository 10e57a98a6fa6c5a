/** For tests: parts of commands, and machines and clusters in small. */

export { createHosts, jobOptionsOf, type HostsFlags, type MachinesDeps } from './cli/machines/index.ts';
export { newTunnelAuthority, newTunnelCertificate } from './cloud/certificates/tunnel.ts';
export { allOf, desiredObjects } from './cloud/desired.ts';
export {
  applyCloud,
  cloudStatus,
  lookAtCloud,
  lookAtCloudUndo,
  planCloud,
  planCloudUndo,
  undoCloud,
  type CloudDeps,
  type CloudPlan,
} from './cloud/index.ts';
export type { ClusterClient } from './cluster/index.ts';
export { convertWith, type CloudWork } from './convert/index.ts';
export { createNodeWork } from './convert/node-work.ts';
export { losingConversions, stoppingConversions, stoppingReverts } from './convert/testing-rounds.ts';
export { createTestSiteOf, type TestSite } from './convert/testing-site.ts';
export { createReading } from './reading/index.ts';
export { runWithLoss } from './steps/testing-run.ts';
export { kubeletConfig, tunnelCaConfig, type JoinConfig } from './token/index.ts';
