import type { BodyCodec } from '../body.ts';
import type { SqlDatabase } from '../driver.ts';
import type { Writer } from '../writer.ts';
import { type CoverageTable, type OrderTable, createCoverageTable, createOrderTable } from './coverages.ts';
import { type MemberTable, createMemberTable } from './members.ts';
import { type OverlayTable, createOverlayTable } from './overlays.ts';
import { type RowTable, createRowTable } from './rows.ts';

/** What the hub's replica keeps in one database. Reads at any time; writes within `write`, whose work may run twice. */
export interface ReplicaTables {
  readonly rows: RowTable;
  readonly members: MemberTable;
  readonly coverages: CoverageTable;
  readonly orders: OrderTable;
  readonly overlays: OverlayTable;
  readonly write: Writer;
}

export interface ReplicaTablesDeps {
  readonly database: SqlDatabase;
  readonly codec: BodyCodec;
  readonly write: Writer;
}

export function createReplicaTables({ database, codec, write }: ReplicaTablesDeps): ReplicaTables {
  return {
    rows: createRowTable(database, codec),
    members: createMemberTable(database),
    coverages: createCoverageTable(database, codec),
    orders: createOrderTable(database, codec),
    overlays: createOverlayTable(database, codec),
    write,
  };
}
