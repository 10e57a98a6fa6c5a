export type { CoverageRow, CoverageTable, OrderRow, OrderTable } from './coverages.ts';
export type { MemberTable } from './members.ts';
export type { OverlayRow, OverlayTable } from './overlays.ts';
export { maxPageText, type ReplicaRow, type RowKey, type RowQuery, type RowTable } from './rows.ts';
export { createReplicaTables, type ReplicaTables } from './tables.ts';
