export { createFacts, type Facts } from './facts.ts';
export type { LocalPod, LocalPods } from './local-pods.ts';
