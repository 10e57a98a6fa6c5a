export { streamingRoutes } from './routes.ts';
