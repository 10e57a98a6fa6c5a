export { createPemFiles, type Pem, type PemFiles } from './pem-files.ts';
export { type Asked, createSmallServer, type Handler, type SmallServer } from './small-server.ts';
