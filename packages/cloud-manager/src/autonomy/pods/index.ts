export { createPodKeeper, type PodKeeper } from './keeper.ts';
