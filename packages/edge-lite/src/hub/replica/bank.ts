import type { OverlayRow, ReplicaRow, ReplicaTables, RowKey } from '../../store/index.ts';
import { keyOf } from './content.ts';
import type { CoverageRecord } from './types.ts';
import type { Order } from './order.ts';

/** A key over all resources; `|` is in no resource. */
export const rowKey = (key: RowKey): string => `${key.resource}|${keyOf(key)}`;

/** What a transaction is to write besides the changes themselves. */
export interface Books {
  coverage(id: number): CoverageRecord | undefined;
  /** As it will be once the transaction is through. */
  order(resource: string): Order | undefined;
}

/**
 * One database and what is not written to it yet: heartbeats, and how far upstream is. Reads see both. What waits is
 * written with the next real change.
 */
export class Bank {
  readonly tables: ReplicaTables;
  readonly rows = new Map<string, ReplicaRow>();
  readonly overlays = new Map<string, OverlayRow>();
  readonly coverages = new Set<number>();
  readonly orders = new Set<string>();
  #lastId: number;

  constructor(tables: ReplicaTables) {
    this.tables = tables;
    this.#lastId = tables.rows.highestId();
  }

  get waiting(): boolean {
    return this.rows.size + this.overlays.size + this.coverages.size + this.orders.size > 0;
  }

  newId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  row(key: RowKey): ReplicaRow | undefined {
    return this.rows.get(rowKey(key)) ?? this.tables.rows.get(key);
  }

  rowById(id: number): ReplicaRow | undefined {
    const row = this.tables.rows.byId(id);
    return row === undefined ? undefined : this.#newest(row);
  }

  page(...query: Parameters<ReplicaTables['rows']['page']>): readonly ReplicaRow[] {
    return this.tables.rows.page(...query).map((row) => this.#newest(row));
  }

  overlay(key: RowKey): string | undefined {
    return this.overlays.get(rowKey(key))?.json ?? this.tables.overlays.get(key);
  }

  /** Within a transaction. */
  writeWaiting(books: Books): void {
    for (const row of this.rows.values()) this.tables.rows.put(row);
    for (const overlay of this.overlays.values()) this.tables.overlays.put(overlay);
    for (const id of this.coverages) {
      const coverage = books.coverage(id);
      if (coverage !== undefined) this.tables.coverages.put(coverage);
    }
    for (const resource of this.orders) {
      const order = books.order(resource);
      if (order !== undefined) this.tables.orders.put({ resource, ...order });
    }
  }

  /** After the transaction. */
  written(): void {
    for (const waiting of [this.rows, this.overlays, this.coverages, this.orders]) waiting.clear();
  }

  /** What waits only ever replaces a row that is there: order and number of rows are the table's. */
  #newest(row: ReplicaRow): ReplicaRow {
    return this.rows.get(rowKey(row)) ?? row;
  }
}
