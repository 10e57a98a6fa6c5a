export { healthLimits } from './limits.ts';
export { createHealth, type Check } from './health.ts';
