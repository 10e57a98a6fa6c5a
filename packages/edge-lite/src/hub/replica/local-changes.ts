import { type Clock, SelvedgeError, hasCode } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import type { ReplicaRow } from '../../store/index.ts';
import { type ChangeSet, baseOf } from './change-set.ts';
import { isHeartbeat, nameOf, normalized, sameContent, withVersion } from './content.ts';
import { type Core, describeObject } from './core.ts';
import type { OverlayDocument } from './overlay-document.ts';
import type { HeldResource, ObjectName, OverlayEntry, OverlayPut, Replica, Shown } from './types.ts';
import { parseVersion } from './versions.ts';

type Local = Pick<Replica, 'base' | 'putOverlay' | 'overlay' | 'overlays' | 'settleOverlay' | 'refresh'>;

/** Rows looked at in one transaction. */
const piece = 200;

const textOf = (object: KubeObject): string => JSON.stringify(withVersion(object, ''));

/** What is shown once nothing lies over it: what upstream said, if it is not older than the base. */
function settle(set: ChangeSet, base: KubeObject, answer: KubeObject | undefined): void {
  const version = parseVersion(answer?.metadata.resourceVersion);
  const known = parseVersion(base.metadata.resourceVersion);
  const newer = version !== undefined && (known === undefined || version >= known);
  if (answer !== undefined && newer) set.place(nameOf(base), normalized(answer), version);
  else set.place(nameOf(base), base, 0n);
}

/** The changes that are made here: by local clients, and by views. */
export class LocalChanges implements Local {
  readonly #core: Core;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(core: Core, { clock }: { readonly clock: Pick<Clock, 'now'> }) {
    this.#core = core;
    this.#clock = clock;
  }

  base(resource: HeldResource, at: ObjectName): KubeObject | undefined {
    const row = this.#row(resource, at);
    return row === undefined ? undefined : baseOf(row);
  }

  putOverlay({ resource, at: { namespace, name }, current: put }: OverlayPut): Shown {
    const at = { namespace, name };
    const base = this.base(resource, at);
    if (base === undefined) {
      throw new SelvedgeError(`${describeObject(resource, at)} is not held`, { code: 'NotFound' });
    }
    const known = this.#laid(resource, at, base);
    const current = normalized(put);
    const [last, next] = [textOf(known.current), textOf(current)];
    if (!sameContent(last, next)) {
      const document = { ...known, current };
      const size = JSON.stringify(document).length;
      const key = { resource, ...at };
      this.#core.overlayIndex.check(key, size);
      const late = isHeartbeat(resource, last, next);
      this.#lay({ resource, at, document, late }, (set) => set.place(at, base, 0n));
      this.#core.overlayIndex.set(key, size);
    }
    return this.#shown(resource, at);
  }

  overlay(resource: HeldResource, { namespace, name }: ObjectName): OverlayEntry | undefined {
    const key = { resource, namespace, name };
    const document = this.#core.overlayIndex.has(key) ? this.#core.overlay(resource, key) : undefined;
    return document === undefined ? undefined : { ...key, ...document };
  }

  overlays(): readonly OverlayEntry[] {
    const entries: OverlayEntry[] = [];
    const { ledger, overlayIndex } = this.#core;
    for (const key of overlayIndex.keys()) {
      const json = ledger.bank(key.resource).overlay(key);
      if (json !== undefined) entries.push({ ...key, ...(JSON.parse(json) as OverlayDocument) });
    }
    return entries;
  }

  settleOverlay(resource: HeldResource, at: ObjectName, answer: KubeObject | 'gone' | undefined): void {
    const { namespace, name } = at;
    const key = { resource, namespace, name };
    const uid = this.overlay(resource, at)?.uid;
    if (uid === undefined) return;
    this.#lay({ resource, at: { namespace, name }, document: undefined, late: false }, (set) => {
      const row = set.row(at);
      if (row === undefined) return;
      const base = baseOf(row);
      if (answer !== 'gone') settle(set, base, answer);
      else if (base.metadata.uid === uid) set.remove(at, 0n);
      else set.place(at, base, 0n);
    });
    this.#core.overlayIndex.delete(key);
  }

  refresh(resource: HeldResource, names?: readonly ObjectName[]): void {
    if (names !== undefined) {
      this.#again(resource, names);
      return;
    }
    const bank = this.#core.ledger.bank(resource);
    for (let after: ObjectName | undefined; ; ) {
      const rows = bank.page(resource, { namespace: undefined, after, limit: piece });
      this.#again(resource, rows);
      after = rows.at(-1);
      if (after === undefined) return;
    }
  }

  /** The overlay of this very object; one that changes nothing if it has none. */
  #laid(resource: HeldResource, at: ObjectName, base: KubeObject): OverlayDocument {
    const known = this.#core.overlay(resource, at);
    const uid = base.metadata.uid ?? '';
    if (known?.uid === uid) return known;
    return { uid, sinceMs: this.#clock.now(), anchor: base, current: base };
  }

  #again(resource: HeldResource, names: readonly ObjectName[]): void {
    const set = this.#core.changeSet(resource);
    for (const { namespace, name } of names) {
      const at = { namespace, name };
      const row = set.row(at);
      if (row !== undefined) set.place(at, baseOf(row), 0n);
    }
    this.#core.ledger.commit({ sets: [set] });
  }

  /** Durable; taking an overlay away must not fail where the disk is full: then it is done again after a power cut. */
  #lay(
    lay: {
      readonly resource: HeldResource;
      readonly at: ObjectName;
      readonly document: OverlayDocument | undefined;
      readonly late: boolean;
    },
    place: (set: ChangeSet) => void,
  ): void {
    const { resource, at, document, late } = lay;
    const set = this.#core.changeSet(resource);
    set.lay(at, document, late);
    place(set);
    try {
      this.#core.ledger.commit({ sets: [set], durable: !late });
    } catch (error) {
      if (document !== undefined || !hasCode(error, 'ResourceExhausted')) throw error;
      this.#core.ledger.commit({ sets: [set] });
    }
  }

  #row(resource: HeldResource, { namespace, name }: ObjectName): ReplicaRow | undefined {
    return this.#core.ledger.bank(resource).row({ resource, namespace, name });
  }

  #shown(resource: HeldResource, { namespace, name }: ObjectName): Shown {
    const row = this.#row(resource, { namespace, name });
    if (row === undefined) throw new SelvedgeError('a row went away', { code: 'Internal' });
    return { namespace, name, version: row.version, json: row.shown ?? row.body };
  }
}
