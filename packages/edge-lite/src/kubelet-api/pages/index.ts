export { configRoute } from './configz.ts';
export { healthRoutes } from './healthz.ts';
export { podListRoutes } from './pod-lists.ts';
export { refusedRoutes } from './refused.ts';
