export type { DriverName } from './driver.ts';
export {
  maxPageText,
  type CoverageRow,
  type OrderRow,
  type OverlayRow,
  type ReplicaRow,
  type ReplicaTables,
  type RowKey,
} from './replica/index.ts';
export type { RuntimeEntry, RuntimeKind, RuntimeRepository } from './runtime.ts';
export { openStore, type ReplicaStore, type Store, type StoreDeps, type StoreOptions } from './store.ts';
export type { Salvage } from './salvage/index.ts';
export type { StoreCondition } from './writer.ts';
