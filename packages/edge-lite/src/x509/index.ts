export { certificatesOf } from '@selvedge/kube';
export {
  createAuthorityCertificate,
  createServerCertificate,
  type Issuer,
  type ServerCertificateOptions,
  type Validity,
} from './certificate.ts';
export { createCsr } from './csr.ts';
export type { Subject } from './name.ts';
