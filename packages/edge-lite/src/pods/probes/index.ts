export { createProber, type ProberDeps, type ProberOptions } from './prober.ts';
export type { ProbeTarget, Prober } from './types.ts';
