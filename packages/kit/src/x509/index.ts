export {
  newAuthority,
  newCertificate,
  newSerialNumber,
  validFrom,
  type AuthorityOptions,
  type CertificateOptions,
  type KeyPair,
  type Validity,
} from './certificate.ts';
export { createCsr } from './csr.ts';
export { tags } from './der.ts';
export type { CertificateUsage } from './extensions.ts';
export { keyPem, newKey } from './key.ts';
export type { Subject } from './name.ts';
export { certificateBlocks, certificatesOf } from './pem.ts';
export { identifierOf, notDer, partsOf, readDer, type DerValue } from './read-der.ts';
