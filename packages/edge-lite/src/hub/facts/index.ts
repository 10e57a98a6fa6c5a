export { createFacts, type Facts } from './facts.ts';
export type { LocalPod, LocalPods } from './local-pods.ts';
export { createMirror, type Mirror } from './mirror.ts';
