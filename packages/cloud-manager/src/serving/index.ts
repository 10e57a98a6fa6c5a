export { type Authenticate, createAuthenticate } from './authenticate.ts';
export { createPemFiles, type Pem, type PemFiles } from './pem-files.ts';
export { readText, refusalOf } from './read-text.ts';
export { type Asked, createSmallServer, type Handler, type SmallServer } from './small-server.ts';
export { watchCertificates } from './watch-certificates.ts';
