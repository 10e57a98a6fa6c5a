export { heldAnnotation, holdingPatch, isHeldLease, nodeLeaseNamespace } from './held-lease.ts';
export { Sightings } from './sightings.ts';
