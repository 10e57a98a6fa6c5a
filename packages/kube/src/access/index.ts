export {
  ClientCertificates,
  type ClientCertificatesDeps,
  type ClientCertificatesOptions,
} from './client-certificates.ts';
export {
  createDelegatedAccess,
  type Credential,
  type DelegatedAccess,
  type DelegatedAccessDeps,
  type DelegatedAccessOptions,
} from './delegated.ts';
export { reviewAccess, reviewToken, type ReviewClient, type TokenVerdict } from './reviews.ts';
export type { AccessAttributes, AccessDecision, AccessQuestion, UserInfo } from './types.ts';
export { authenticatedGroup, credentialIdKey, userOfCertificate } from './user.ts';
