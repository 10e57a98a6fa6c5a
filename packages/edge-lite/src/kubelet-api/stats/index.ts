export { statsRoutes, type StatsDeps, type StatsOptions } from './routes.ts';
