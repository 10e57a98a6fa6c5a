export { createHealth, type Check } from './health.ts';
