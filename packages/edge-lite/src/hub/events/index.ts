export { createEventRing, type EventRing, type EventRingDeps, type EventRingOptions } from './ring.ts';
