export { type Authenticate, createAuthenticate } from './authenticate.ts';
export { createCaFile } from './ca-file.ts';
export { type ClientAuthorities, createClientAuthorities, trusting } from './client-authorities.ts';
export type { FollowFilesDeps } from './follow-files.ts';
export {
  createPemFiles,
  type Pem,
  type PemFiles,
  type PemFilesOptions,
  type ShownCertificate,
} from './pem-files.ts';
export { readText, refusalOf } from './read-text.ts';
export {
  type Asked,
  createSmallServer,
  type Handler,
  type SmallServer,
  type SmallServerDeps,
} from './small-server.ts';
export { watchCertificates } from './watch-certificates.ts';
