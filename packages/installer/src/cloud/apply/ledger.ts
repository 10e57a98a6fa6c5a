import { formatHostPort } from '@selvedge/kit/net';
import type { KubeClient, KubeObject } from '@selvedge/kube';
import {
  type Inventory,
  type InventoryEntry,
  type InventoryStore,
  type Place,
  contentOf,
  hashOfContent,
  placeKey,
  settleEntries,
} from '../inventory/index.ts';
import type { CloudPlan } from '../types.ts';

type Noted = Extract<InventoryEntry, { kind: 'text' | 'machine' }>;

/** What is written before each change, so that whoever comes next can go on or go back. */
export interface Ledger {
  /** Announces an object; `before`: as it is, of somebody else's. */
  announce(place: Place, before: KubeObject | undefined): Promise<void>;
  /** The object as the API server has it now. Written with what is announced next. */
  done(place: Place, object: KubeObject): void;
  /** Announces a change of another kind, unless it is known. A machine that has other addresses by now is the same by its name. */
  note(entry: Noted): Promise<void>;
  complete(): Promise<void>;
}

const isOf = (entry: InventoryEntry, place: Place): boolean =>
  (entry.kind === 'made' || entry.kind === 'changed') && placeKey(entry.place) === placeKey(place);

const isSameChange = (one: InventoryEntry, other: Noted): boolean =>
  one.kind === 'machine' && other.kind === 'machine'
    ? one.phase === other.phase && one.name === other.name
    : JSON.stringify(one) === JSON.stringify(other);

function announced(place: Place, before: KubeObject | undefined): InventoryEntry {
  if (before === undefined) return { kind: 'made', place };
  return { kind: 'changed', place, uid: before.metadata.uid ?? '', before: contentOf(before) };
}

function finished(entry: InventoryEntry, object: KubeObject): InventoryEntry {
  if (entry.kind === 'made') return { ...entry, uid: object.metadata.uid };
  return entry.kind === 'changed' ? { ...entry, after: hashOfContent(contentOf(object)) } : entry;
}

/** Opened after the namespace is there. */
export async function openLedger(
  plan: CloudPlan,
  store: InventoryStore,
  {
    cluster,
    version,
    signal,
  }: { readonly cluster: Pick<KubeClient, 'get'>; readonly version: string; readonly signal: AbortSignal },
): Promise<Ledger> {
  const known = await settleEntries(store.inventory?.entries ?? [], cluster, signal);
  let entries: readonly InventoryEntry[] = [...known, ...plan.adopted];
  const inventory = (complete: boolean): Inventory => ({
    version,
    mode: plan.mode,
    complete,
    tunnelServers: plan.options.tunnelServers.map(formatHostPort),
    entries,
  });
  return {
    async announce(place, before) {
      const entry = entries.find((one) => isOf(one, place));
      // Changed once more: how it was at first is what counts.
      const again = entry?.kind === 'changed' ? { ...entry, after: undefined } : entry;
      entries = [...entries.filter((one) => one !== entry), again ?? announced(place, before)];
      await store.write(inventory(false));
    },
    done(place, object) {
      entries = entries.map((one) => (isOf(one, place) ? finished(one, object) : one));
    },
    async note(entry) {
      const at = entries.findIndex((one) => isSameChange(one, entry));
      entries = at < 0 ? [...entries, entry] : entries.with(at, entry);
      await store.write(inventory(false));
    },
    complete: () => store.write(inventory(true)),
  };
}
