export { createPodMetrics, type PodMetrics } from './metrics.ts';
export { createPods, type Pods, type PodsOptions } from './pods.ts';
export type { RuntimeView, WorkerDeps } from './ports.ts';
export { createSavedPods, type SavedPodStore, type SavedPod, type SavedPods } from './saved.ts';
