export { pinOf, pinned } from './certificates.ts';
export { verifyClusterInfo, type ClusterInfo } from './cluster-info.ts';
export { newTokenHint, parseBootstrapToken, signedByToken, type BootstrapToken } from './token.ts';
export {
  readClusterInfo,
  type OpenTcp,
  type UnverifiedClusterInfo,
  type UnverifiedGet,
} from './unverified-get.ts';
