export { createAutonomy, type Autonomy } from './autonomy.ts';
export { memberIndexers } from './caches.ts';
export type { AutonomyOptions } from './options.ts';
export { witnessPath } from './witness/index.ts';
