export { pinOf, pinned } from './certificates.ts';
export {
  clusterInfoAt,
  clusterInfoSignatureKey,
  publishedCluster,
  verifyClusterInfo,
  type ClusterInfo,
  type PublishedCluster,
} from './cluster-info.ts';
export {
  formatBootstrapToken,
  newTokenHint,
  parseBootstrapToken,
  signWithToken,
  signedByToken,
  type BootstrapToken,
} from './token.ts';
export {
  readClusterInfo,
  type OpenTcp,
  type UnverifiedClusterInfo,
  type UnverifiedGet,
} from './unverified-get.ts';
