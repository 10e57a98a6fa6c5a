export type { ProbeTarget, Prober } from './types.ts';
