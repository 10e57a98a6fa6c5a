export { type Bodies, type BodiesOptions, createBodies } from './bodies.ts';
export {
  createHttpsListener,
  type Handler,
  type HttpsListener,
  type Reply,
} from './https-listener.ts';
export { createPemFiles, type Pem, type PemFiles } from './pem-files.ts';
export { type Newcomers, createNewcomers } from './newcomers.ts';
export { createPlaces, type Places } from './places.ts';
