export { createServe } from './serve.ts';
