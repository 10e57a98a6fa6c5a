export type { DriverName } from './driver.ts';
export type { CollectionState, ObjectBatch, ObjectKey, ObjectRepository } from './objects.ts';
export type { RuntimeEntry, RuntimeKind, RuntimeRepository } from './runtime.ts';
export { openStore, type Store, type StoreOptions } from './store.ts';
export type { WriteOptions } from './writer.ts';
