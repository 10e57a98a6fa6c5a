export { logRoutes, type LogDeps } from './routes.ts';
