export { createProber, type ProberDeps, type ProberOptions } from './prober.ts';
export type { ProbeCount, ProbeTarget, Prober } from './types.ts';
