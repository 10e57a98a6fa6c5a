export { createPodNeeds, type PodNeedsDeps, type PodNeedsOptions } from './pod-needs.ts';
