export { createFacts, type Facts } from './facts.ts';
export { noticeRootCa } from './root-ca-reads.ts';
export { createTrust, type Trust } from './trust.ts';
export type { LocalPod, LocalPods } from './local-pods.ts';
export { createMirror, type Mirror } from './mirror.ts';
