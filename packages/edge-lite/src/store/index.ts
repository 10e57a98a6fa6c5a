export type { DriverName } from './driver.ts';
export type { ObjectBatch, ObjectKey, ObjectRepository } from './objects.ts';
export type { RuntimeKind, RuntimeRepository } from './runtime.ts';
export { openStore, type Store } from './store.ts';
