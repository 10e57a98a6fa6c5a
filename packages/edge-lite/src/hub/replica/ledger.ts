import { type Listeners, type Logger, createListeners } from '@selvedge/kit';
import type { OrderRow, ReplicaStore } from '../../store/index.ts';
import { Bank } from './bank.ts';
import type { ChangeSet } from './change-set.ts';
import { isVolatile } from './content.ts';
import { type Histories, type History, type HistoryOptions, createHistories } from './history.ts';
import { type Order, reservedAhead, resumed, tip, unborn } from './order.ts';
import type { CoverageRecord, HeldResource } from './types.ts';

/** One resource: its order of versions, its recent history and who wants to hear of it. */
export interface Track {
  readonly history: History;
  readonly listeners: Listeners<void>;
  order: Order;
  /** Objects held. */
  count: number;
}

export interface LedgerOptions extends HistoryOptions {
  /** Heartbeats that wait in memory. */
  readonly maxWaiting: number;
}

export interface LedgerDeps {
  readonly store: ReplicaStore;
  readonly log: Logger;
  /** Told how many objects of a resource there are. */
  readonly counted: (resource: HeldResource, count: number) => void;
}

export interface Commit {
  readonly sets: readonly ChangeSet[];
  /** On the medium when it returns. Default false. */
  readonly durable?: boolean;
  /** The coverage that the changes came from, as it is now. */
  readonly coverage?: CoverageRecord;
  /** Write also what could wait. Default false. */
  readonly now?: boolean;
}

/** The one place where the replica changes: on disk first, then in memory, then those who listen are told. */
export class Ledger {
  readonly coverages = new Map<number, CoverageRecord>();
  readonly histories: Histories;
  readonly #file: Bank;
  readonly #memory: Bank;
  readonly #tracks = new Map<HeldResource, Track>();
  readonly #kept: Map<HeldResource, OrderRow>;
  readonly #counts: ReadonlyMap<HeldResource, number>;
  readonly #options: LedgerOptions;
  readonly #deps: LedgerDeps;

  constructor(options: LedgerOptions, deps: LedgerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.histories = createHistories(options);
    const { file, memory } = deps.store;
    this.#file = new Bank(file);
    this.#memory = new Bank(memory);
    this.#kept = new Map(file.orders.all().map((order) => [order.resource, order]));
    this.#counts = file.rows.counts();
    for (const row of file.coverages.all()) {
      const lost = isVolatile(row.resource) ? { upstreamVersion: '', synced: false } : {};
      this.coverages.set(row.id, { ...row, ...lost });
    }
  }

  bank(resource: HeldResource): Bank {
    return isVolatile(resource) ? this.#memory : this.#file;
  }

  get tracks(): ReadonlyMap<HeldResource, Track> {
    return this.#tracks;
  }

  track(resource: HeldResource): Track {
    const known = this.#tracks.get(resource);
    if (known !== undefined) return known;
    const kept = this.#kept.get(resource);
    const order =
      kept === undefined ? unborn(this.bank(resource).tables.rows.highestVersion(resource)) : resumed(kept);
    const track: Track = {
      order,
      history: this.histories.open(order.lastEntry),
      listeners: createListeners<void>(this.#deps.log),
      count: this.#counts.get(resource) ?? 0,
    };
    this.#tracks.set(resource, track);
    return track;
  }

  /** All sets are of one bank. Throws what the store throws; then nothing has changed. */
  commit(commit: Commit): void {
    const { sets, coverage } = commit;
    const resource = sets[0]?.resource ?? coverage?.resource;
    if (resource === undefined) return;
    const bank = this.bank(resource);
    if (this.#mustWrite(bank, commit)) this.#write(bank, commit);
    else this.#defer(bank, commit);
    if (coverage !== undefined) this.coverages.set(coverage.id, coverage);
    for (const set of sets) this.#settle(set);
  }

  /** Writes what waits. `last`: nothing is handed out any more, so the next start goes on without a gap. */
  flush(last: boolean): void {
    const bank = this.#file;
    if (last) for (const resource of this.#tracks.keys()) bank.orders.add(resource);
    if (!bank.waiting) return;
    const orders = this.#orders(bank, [], last ? 0n : reservedAhead);
    bank.tables.write({ durable: last }, () => {
      bank.writeWaiting({ coverage: (id) => this.coverages.get(id), order: (name) => orders.get(name) });
    });
    this.#reserved(bank, orders);
  }

  dropCoverage(id: number): void {
    const { resource } = this.coverages.get(id) ?? { resource: '' };
    for (const bank of new Set([this.#file, this.bank(resource)]))
      bank.tables.write({ durable: false }, () => bank.tables.coverages.remove(id));
    this.coverages.delete(id);
  }

  addCoverage(record: CoverageRecord): void {
    const { coverages, write } = this.#file.tables;
    write({ durable: false }, () => coverages.put(record));
    this.coverages.set(record.id, record);
  }

  #mustWrite(bank: Bank, { sets, now = false, coverage }: Commit): boolean {
    if (now || bank.rows.size + bank.overlays.size >= this.#options.maxWaiting) return true;
    if (coverage !== undefined && this.coverages.get(coverage.id)?.synced !== coverage.synced) return true;
    return sets.some((set) => set.real || set.order.version > this.track(set.resource).order.reserved);
  }

  #write(bank: Bank, { sets, coverage, durable = false }: Commit): void {
    const orders = this.#orders(bank, sets, reservedAhead);
    const bytes = sets.reduce((sum, set) => sum + set.size, 0);
    bank.tables.write({ durable, bytes }, () => {
      bank.writeWaiting({
        coverage: (id) => this.coverages.get(id),
        order: (name) => orders.get(name),
      });
      for (const set of sets) {
        set.write(bank.tables);
        const order = orders.get(set.resource);
        if (order !== undefined) bank.tables.orders.put({ resource: set.resource, ...order });
      }
      if (coverage !== undefined) bank.tables.coverages.put(coverage);
    });
    this.#reserved(bank, orders);
    for (const set of sets) {
      const order = orders.get(set.resource);
      if (order !== undefined) set.order = order;
    }
  }

  #defer(bank: Bank, { sets, coverage }: Commit): void {
    for (const set of sets) {
      set.defer(bank);
      if (set.order.version !== this.track(set.resource).order.version) bank.orders.add(set.resource);
    }
    const known = coverage === undefined ? undefined : this.coverages.get(coverage.id);
    if (coverage !== undefined && known?.upstreamVersion !== coverage.upstreamVersion)
      bank.coverages.add(coverage.id);
  }

  /** The orders that a transaction writes, each with a new promise. */
  #orders(bank: Bank, sets: readonly ChangeSet[], ahead: bigint): ReadonlyMap<HeldResource, Order> {
    const orders = new Map<HeldResource, Order>();
    const promise = (resource: HeldResource, order: Order): void => {
      if (order.born) orders.set(resource, { ...order, reserved: tip(order) + ahead });
    };
    for (const resource of bank.orders) promise(resource, this.track(resource).order);
    for (const set of sets) promise(set.resource, set.order);
    return orders;
  }

  #reserved(bank: Bank, orders: ReadonlyMap<HeldResource, Order>): void {
    bank.written();
    for (const [resource, { reserved }] of orders) {
      const track = this.track(resource);
      track.order = { ...track.order, reserved };
    }
  }

  #settle(set: ChangeSet): void {
    const track = this.track(set.resource);
    const rose = set.order.version > track.order.version;
    track.order = { ...set.order, reserved: track.order.reserved };
    track.count += set.growth;
    this.#deps.counted(set.resource, track.count);
    track.history.append(set.entries);
    if (set.restarted) track.history.restart(set.order.version);
    if (rose) track.listeners.tell();
  }
}
