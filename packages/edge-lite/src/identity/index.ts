export { createIdentity, type Identity } from './identity.ts';
export {
  createServingCertificate,
  type ServingCertificate,
  type ServingCertificateDeps,
  type ServingCertificateOptions,
} from './serving-certificate.ts';
