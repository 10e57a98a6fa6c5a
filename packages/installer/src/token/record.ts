import type { KubeClient } from '@selvedge/kube';
import type { ClusterChange } from '../changes/index.ts';
import { type InventoryEntry, openInventory } from '../cloud/index.ts';

interface RecordDeps {
  readonly cluster: KubeClient;
  readonly signal: AbortSignal;
}

type Made = Extract<InventoryEntry, { kind: 'made' }>;
type Applied = Extract<ClusterChange['write'], { kind: 'apply' }>;

async function entryOf({ resource, object }: Applied, deps: RecordDeps): Promise<Made> {
  const { apiVersion, kind, plural } = resource;
  const { name = '', namespace } = object.metadata;
  const { metadata } = await deps.cluster.get(resource, { name, namespace }, { signal: deps.signal });
  const place = { apiVersion, kind, plural, name, ...(namespace === undefined ? {} : { namespace }) };
  return { kind: 'made', place, uid: metadata.uid };
}

/**
 * Has `selvedge revert` take away what was applied, with all else of the cloud's part. Nothing in a cluster that was not
 * converted. Throws `Conflict` if a conversion goes on at the same time.
 */
export async function recordMade(changes: readonly ClusterChange[], deps: RecordDeps): Promise<void> {
  const applied = changes.map(({ write }) => write).filter((write) => write.kind === 'apply');
  if (applied.length === 0) return;
  const store = await openInventory(deps.cluster, deps.signal);
  const { inventory } = store;
  if (inventory === undefined) return;
  const known = new Set(inventory.entries.map((one) => ('uid' in one ? one.uid : undefined)));
  const made = await Promise.all(applied.map((write) => entryOf(write, deps)));
  const added = made.filter(({ uid }) => !known.has(uid));
  await store.write({ ...inventory, entries: [...inventory.entries, ...added] });
}
