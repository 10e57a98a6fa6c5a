import type { KubeObject } from '@selvedge/kube';
import type { ReplicaRow, ReplicaTables, RowKey } from '../../store/index.ts';
import { type Bank, rowKey } from './bank.ts';
import { isHeartbeat, jsonAt } from './content.ts';
import type { Held } from './history.ts';
import type { OverlayDocument } from './overlay-document.ts';

/** A row as clients see it. */
export const shownOf = (row: ReplicaRow): Held => ({ version: row.version, json: row.shown ?? row.body });

/** The row of an object under a version; `laid` is `base` itself when nothing lies over it. */
export function rowAt(
  { key }: Staged,
  row: { readonly base: KubeObject; readonly laid: KubeObject; readonly version: bigint },
): ReplicaRow {
  const { base, laid, version } = row;
  const body = jsonAt(base, version);
  const shown = laid === base ? body : jsonAt(laid, version);
  return {
    ...key,
    upstreamVersion: base.metadata.resourceVersion ?? '',
    version,
    body,
    shown: shown === body ? undefined : shown,
  };
}

/** One object in a change set: as it was and as it will be. */
export class Staged {
  readonly key: RowKey & { readonly id: number };
  readonly holders: Set<number>;
  readonly #was: ReplicaRow | undefined;
  readonly #heldBy: readonly number[];
  #row: ReplicaRow | undefined;
  /** It may be lost: a heartbeat, or no more than an upstream version. */
  #late = true;
  #overlay: { readonly document: OverlayDocument | undefined } | undefined;

  constructor(key: Staged['key'], row: ReplicaRow | undefined, heldBy: readonly number[]) {
    this.key = key;
    this.#was = row;
    this.#row = row;
    this.#heldBy = heldBy;
    this.holders = new Set(heldBy);
  }

  get row(): ReplicaRow | undefined {
    return this.#row;
  }

  /** What is to lie over it from now on; undefined: as before. */
  get overlay(): { readonly document: OverlayDocument | undefined } | undefined {
    return this.#overlay;
  }

  get growth(): number {
    return Number(this.#row !== undefined) - Number(this.#was !== undefined);
  }

  /** Whether it must be written now. */
  get real(): boolean {
    if (this.#heldBy.length !== this.holders.size || this.#heldBy.some((id) => !this.holders.has(id)))
      return true;
    return !this.#late && (this.#row !== this.#was || this.#overlay !== undefined);
  }

  lay(document: OverlayDocument | undefined, late: boolean): void {
    this.#overlay = { document };
    this.#late &&= late;
  }

  /** A state that is shown as the last one was. */
  keep(next: ReplicaRow): void {
    const last = this.#row;
    if (last === undefined) return;
    const still = next.body === last.body && next.shown === last.shown;
    if (still && next.upstreamVersion === last.upstreamVersion) return;
    this.#late &&= still || isHeartbeat(this.key.resource, last.body, next.body);
    this.#row = next;
  }

  /** A state that is shown as another one. */
  replace(next: ReplicaRow | undefined): void {
    this.#late &&= this.#row !== undefined && next !== undefined && this.#isHeartbeat(this.#row, next);
    this.#row = next;
  }

  /** Within a transaction. */
  write({ rows, members, overlays }: ReplicaTables): void {
    const { id } = this.key;
    if (this.#row === undefined) {
      if (this.#was !== undefined) rows.remove(id);
    } else if (this.#row !== this.#was) rows.put(this.#row);
    for (const coverage of this.holders) if (!this.#heldBy.includes(coverage)) members.hold(id, coverage);
    for (const coverage of this.#heldBy) if (!this.holders.has(coverage)) members.release(id, coverage);
    if (this.#overlay === undefined) return;
    if (this.#overlay.document === undefined) overlays.remove(this.key);
    else overlays.put({ ...this.key, json: JSON.stringify(this.#overlay.document) });
  }

  /** Instead of `write`: it waits in the bank. */
  defer(bank: Bank): void {
    const key = rowKey(this.key);
    if (this.#row !== undefined && this.#row !== this.#was) bank.rows.set(key, this.#row);
    if (this.#overlay?.document === undefined) return;
    bank.overlays.set(key, { ...this.key, json: JSON.stringify(this.#overlay.document) });
  }

  #isHeartbeat(last: ReplicaRow, next: ReplicaRow): boolean {
    const { resource } = this.key;
    return (
      isHeartbeat(resource, last.body, next.body) &&
      isHeartbeat(resource, shownOf(last).json, shownOf(next).json)
    );
  }
}
