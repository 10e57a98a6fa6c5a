import { managerAdmission, managerNamespace } from '@selvedge/api';
import { ifFound, resources } from '@selvedge/kube';
import { unmarkEdges } from '../apply/edge.ts';
import {
  type InventoryEntry,
  type InventoryStore,
  openInventory,
  settleEntries,
} from '../inventory/index.ts';
import { isMarkedAsMade } from '../objects/metadata.ts';
import type { CloudDeps, CloudUndoPlan } from '../types.ts';
import { undoEntry } from './entries.ts';
import { backwards, isData, keptNamespace, undoText, undoTitle } from './plan.ts';
import { strangersIn } from './strangers.ts';
import { takeBack } from './take-back.ts';

/** What cloud-manager made for itself in a namespace that stays. */
async function removeTraces({ cluster, signal }: CloudDeps): Promise<void> {
  const namespace = managerNamespace;
  const { items } = await cluster.listAll(resources.leases, { namespace, signal });
  const ours = items.flatMap(({ metadata: { name = '' } }) =>
    name === 'cloud-manager' || name.startsWith('tunnel-server.') ? [name] : [],
  );
  for (const name of ours) await ifFound(cluster.delete(resources.leases, { namespace, name }, { signal }));
  await ifFound(cluster.delete(resources.secrets, { namespace, name: managerAdmission.secret }, { signal }));
}

/** By machine: why what is on it stays, for people. */
type Left = Map<string, string>;

const isLeft = (entry: InventoryEntry, left: Left): boolean =>
  entry.kind === 'machine' && left.has(entry.name);

async function undoOne(entry: InventoryEntry, left: Left, deps: CloudDeps): Promise<void> {
  // Where one part of a machine stays, so does what it needs.
  if (isLeft(entry, left)) return;
  const why = await deps.progress.task(undoTitle(entry), () => undoEntry(entry, deps));
  if (why === undefined || entry.kind !== 'machine') return;
  left.set(entry.name, why);
  deps.progress.note(why);
}

async function undoEntries(store: InventoryStore, keepData: boolean, deps: CloudDeps): Promise<Left> {
  const { inventory } = store;
  const left: Left = new Map();
  if (inventory === undefined) return left;
  const { cluster, signal } = deps;
  let entries = await settleEntries(inventory.entries, cluster, signal);
  if (!keepData && entries.some(isData)) await takeBack(deps);
  for (const entry of backwards(entries)) {
    if (keepData && isData(entry)) continue;
    signal.throwIfAborted();
    await undoOne(entry, left, deps);
    // What stays is in the inventory as long as there is one: for a run after this one, if this one is stopped.
    if (!isLeft(entry, left)) entries = entries.filter((one) => one !== entry);
    await store.write({ ...inventory, complete: false, entries });
  }
  return left;
}

/** The inventory, the traces, and the namespace unless somebody else has something there. */
async function undoNamespace(store: InventoryStore, deps: CloudDeps): Promise<void> {
  const { cluster, signal, progress } = deps;
  const at = { name: managerNamespace };
  const namespace = await ifFound(cluster.get(resources.namespaces, at, { signal }));
  if (namespace === undefined) return;
  await removeTraces(deps);
  await store.remove();
  if (!isMarkedAsMade(namespace) || namespace.metadata.deletionTimestamp !== undefined) return;
  const strangers = await strangersIn(deps);
  if (strangers.length > 0) return progress.note(keptNamespace(strangers));
  const { uid = '' } = namespace.metadata;
  await progress.task(`delete Namespace ${managerNamespace}`, () =>
    cluster.delete(resources.namespaces, at, { signal, preconditions: { uid } }),
  );
}

/**
 * Takes back what the inventory tells, in reverse. Stops at the first thing that cannot be; called again with a new plan it
 * goes on there. Tells what stays on machines that were removed from the cluster, for people. Throws `Conflict` for what somebody
 * changed since, `Unavailable` for machines that are out of reach.
 */
export async function undoCloud(
  { options, adopted, isDone }: CloudUndoPlan,
  deps: CloudDeps,
): Promise<readonly string[]> {
  if (isDone) return [];
  const { cluster, signal, progress } = deps;
  const store = await openInventory(cluster, signal);
  const left = await undoEntries(store, options.keepData, deps);
  await unmarkEdges(deps);
  for (const entry of adopted) await progress.task(undoText(entry), () => undoEntry(entry, deps));
  await undoNamespace(store, deps);
  return [...left.values()];
}
