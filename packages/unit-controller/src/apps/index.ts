export { createAppController, type AppControllerDeps, type AppControllerOptions } from './app-controller.ts';
export { createAppMetrics, type AppMetrics } from './metrics.ts';
export { followApps, type AppObjects } from './view/index.ts';
