export type { CoverageRow, CoverageTable, OrderRow, OrderTable } from './coverages.ts';
export type { MemberTable } from './members.ts';
export type { OverlayRow, OverlayTable } from './overlays.ts';
export type { ReplicaRow, RowKey, RowQuery, RowTable } from './rows.ts';
export { createReplicaTables, type ReplicaTables } from './tables.ts';
