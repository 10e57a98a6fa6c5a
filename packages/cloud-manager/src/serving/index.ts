export {
  createHttpsListener,
  readBody,
  type Handler,
  type HttpsListener,
  type Reply,
} from './https-listener.ts';
export { createPemFiles, type Pem, type PemFiles } from './pem-files.ts';
export { type Newcomers, createNewcomers } from './newcomers.ts';
export { createPlaces, type Places } from './places.ts';
