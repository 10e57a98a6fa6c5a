import type { KubeObject } from '@selvedge/kube';
import type { ReplicaRow, ReplicaTables } from '../../store/index.ts';
import type { Bank } from './bank.ts';
import { keyOf, parsed, sameContent, withVersion } from './content.ts';
import type { Entry } from './history.ts';
import { type Order, born, changed, progressed } from './order.ts';
import type { OverlayDocument } from './overlay-document.ts';
import { Staged, rowAt, shownOf } from './staged.ts';
import type { HeldResource, ObjectName } from './types.ts';

export interface ChangeSetDeps {
  readonly bank: Bank;
  readonly order: Order;
  /** What clients see of an upstream object: the same object if nothing lies over it. */
  readonly present: (base: KubeObject, overlay: OverlayDocument | undefined) => KubeObject;
  readonly overlay: (at: ObjectName) => OverlayDocument | undefined;
}

/** The last upstream state of a row. */
export const baseOf = (row: ReplicaRow): KubeObject => withVersion(parsed(row.body), row.upstreamVersion);

const textOf = (row: ReplicaRow | undefined): number => (row?.body.length ?? 0) + (row?.shown?.length ?? 0);

/**
 * Changes of one resource, worked out in memory before any of them is written: what is planned here is one transaction,
 * and nothing has happened until it is through.
 */
export class ChangeSet {
  readonly resource: HeldResource;
  readonly entries: Entry[] = [];
  order: Order;
  /** Characters of JSON that it writes. */
  size = 0;
  /** Characters of JSON that it holds: what it writes, and what was there. */
  held = 0;
  restarted = false;
  readonly #deps: ChangeSetDeps;
  readonly #staged = new Map<string, Staged>();

  constructor(resource: HeldResource, deps: ChangeSetDeps) {
    this.resource = resource;
    this.order = deps.order;
    this.#deps = deps;
  }

  row(at: ObjectName): ReplicaRow | undefined {
    return this.#stage(at).row;
  }

  rowId(at: ObjectName): number {
    return this.#stage(at).key.id;
  }

  /** A new upstream state, of the version `upstream` (0: none, a local change). */
  place(at: ObjectName, base: KubeObject, upstream: bigint): void {
    const staged = this.#stage(at);
    const overlay = staged.overlay === undefined ? this.#deps.overlay(at) : staged.overlay.document;
    const laid = this.#deps.present(base, overlay);
    const { row } = staged;
    if (row !== undefined) {
      const same = rowAt(staged, { base, laid, version: row.version });
      if (sameContent(shownOf(row).json, shownOf(same).json)) {
        staged.keep(same);
        return;
      }
    }
    this.order = changed(this.order, upstream);
    this.#enter(staged, rowAt(staged, { base, laid, version: this.order.version }), upstream);
  }

  /** Lays something over an object, or takes it away. The object itself is to be placed again. */
  lay(at: ObjectName, document: OverlayDocument | undefined, late: boolean): void {
    this.#stage(at).lay(document, late);
  }

  hold(at: ObjectName, coverage: number): void {
    this.#stage(at).holders.add(coverage);
  }

  /** The coverage has it no longer; nobody else has it either: it goes. */
  release(at: ObjectName, coverage: number, upstream: bigint): void {
    const staged = this.#stage(at);
    staged.holders.delete(coverage);
    if (staged.holders.size === 0) this.remove(at, upstream);
  }

  /** It is gone, whoever holds it. */
  remove(at: ObjectName, upstream: bigint): void {
    const staged = this.#stage(at);
    staged.holders.clear();
    if (staged.row === undefined) return;
    this.order = changed(this.order, upstream);
    this.#enter(staged, undefined, upstream);
  }

  progress(upstream: bigint): void {
    this.order = progressed(this.order, upstream);
  }

  /** The first complete list: what came before is nobody's history. */
  begin(upstream: bigint, offset: bigint): void {
    this.order = born(this.order, upstream, offset);
    this.restarted = true;
  }

  /** Whether it must be written now. */
  get real(): boolean {
    if (this.restarted) return true;
    return [...this.#staged.values()].some((staged) => staged.real);
  }

  /** The number of rows that it adds. */
  get growth(): number {
    let growth = 0;
    for (const staged of this.#staged.values()) growth += staged.growth;
    return growth;
  }

  /** Within a transaction. */
  write(tables: ReplicaTables): void {
    for (const staged of this.#staged.values()) staged.write(tables);
  }

  /** Instead of `write` when nothing of it is real: it waits in the bank. */
  defer(bank: Bank): void {
    for (const staged of this.#staged.values()) staged.defer(bank);
  }

  #stage(at: ObjectName): Staged {
    const key = keyOf(at);
    const known = this.#staged.get(key);
    if (known !== undefined) return known;
    const { bank } = this.#deps;
    const row = bank.row({ resource: this.resource, ...at });
    this.held += textOf(row);
    const heldBy = row === undefined ? [] : bank.tables.members.holders(row.id);
    const { namespace, name } = at;
    const own = { resource: this.resource, namespace, name, id: row?.id ?? bank.newId() };
    const staged = new Staged(own, row, heldBy);
    this.#staged.set(key, staged);
    return staged;
  }

  #enter(staged: Staged, next: ReplicaRow | undefined, upstream: bigint): void {
    const { namespace, name } = staged.key;
    const before = staged.row === undefined ? undefined : shownOf(staged.row);
    const after = next === undefined ? undefined : shownOf(next);
    this.entries.push({ namespace, name, version: this.order.version, upstream, before, after });
    this.size += textOf(next);
    this.held += textOf(next);
    staged.replace(next);
  }
}
