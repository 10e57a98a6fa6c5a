export { createAppController, type AppControllerDeps, type AppControllerOptions } from './app-controller.ts';
export { followApps, type AppObjects, type AppReaders, type ChildReader } from './app-readers.ts';
export { createAppMetrics, type AppMetrics } from './metrics.ts';
