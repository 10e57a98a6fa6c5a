export { certificatesOf } from './bundle.ts';
export {
  createAuthorityCertificate,
  createServerCertificate,
  type Issuer,
  type ServerCertificateOptions,
  type Validity,
} from './certificate.ts';
export { createCsr } from './csr.ts';
export type { Subject } from './name.ts';
