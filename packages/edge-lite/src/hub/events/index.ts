export {
  createEventRights,
  type EventRights,
  type EventRightsDeps,
  type EventRightsOptions,
} from './rights.ts';
export { createEventRing, type EventRing, type EventRingDeps, type EventRingOptions } from './ring.ts';
