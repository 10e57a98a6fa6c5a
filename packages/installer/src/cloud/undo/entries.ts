import { SelvedgeError, hasCode } from '@selvedge/kit';
import { type KubeObject, type Resource, ifFound, isObject, jsonPatch } from '@selvedge/kube';
import { withoutAddition } from '../dns/index.ts';
import { awaitApiServer } from '../egress/api-server.ts';
import {
  type InventoryEntry,
  type Place,
  contentOf,
  fieldManager,
  liveAt,
  hashOfContent,
  placeKey,
  refOf,
  resourceAt,
} from '../inventory/index.ts';
import { undoOn } from '../machine/run.ts';
import { machineNow, orGone, undoOnGone } from './gone.ts';
import { isSo, poll } from '../../waiting/index.ts';
import { type CloudDeps, cloudTimeouts } from '../types.ts';

type EntryOf<K extends InventoryEntry['kind']> = Extract<InventoryEntry, { kind: K }>;

/** Its objects go first: one that is made anew meanwhile would go with it. */
function awaitGone(place: Place, deps: CloudDeps): Promise<void> {
  const { timeouts = cloudTimeouts } = deps;
  const hint = `see what it waits for with kubectl get ${place.plural} ${place.name} -o yaml`;
  const waiting = { what: `the deletion of ${placeKey(place)}`, timeoutMs: timeouts.takenBackMs, hint };
  return poll(waiting, deps, async () =>
    isSo((await liveAt(place, deps)) === undefined, 'it is still there'),
  );
}

/** Deletes what we made: that very object, and no other of its name. */
async function undoMade({ place, uid }: EntryOf<'made'>, deps: CloudDeps): Promise<void> {
  if (uid === undefined) return;
  const { cluster, signal } = deps;
  try {
    const preconditions = { uid };
    await cluster.delete(resourceAt(place), refOf(place), {
      signal,
      preconditions,
      propagationPolicy: 'Background',
    });
  } catch (error) {
    // Another object of that name is somebody else's.
    if (hasCode(error, 'NotFound', 'Conflict')) return;
    throw error;
  }
  if (place.kind === 'CustomResourceDefinition') await awaitGone(place, deps);
}

async function undoChanged(
  { place, uid, before, after }: EntryOf<'changed'>,
  { cluster, signal }: CloudDeps,
): Promise<void> {
  const live = await liveAt(place, { cluster, signal });
  if (live === undefined || live.metadata.uid !== uid) return;
  const now = hashOfContent(contentOf(live));
  if (now === hashOfContent(before)) return;
  if (now !== after) {
    throw new SelvedgeError(`${placeKey(place)} was changed since`, {
      code: 'Conflict',
      hint: `its original is in the ConfigMap selvedge-system/selvedge-install; restore it by hand, then remove its entry there`,
    });
  }
  const metadata = {
    ...(isObject(before['metadata']) ? before['metadata'] : {}),
    resourceVersion: live.metadata.resourceVersion,
  };
  const object: KubeObject = { ...before, metadata };
  await cluster.replace(resourceAt(place), object, { fieldManager, signal });
}

async function undoText(
  { place, key, text }: EntryOf<'text'>,
  { cluster, signal }: CloudDeps,
): Promise<void> {
  const resource: Resource<KubeObject & { data?: Record<string, string> }> = resourceAt(place);
  const live = await ifFound(cluster.get(resource, refOf(place), { signal }));
  const now = live?.data?.[key];
  if (now === undefined) return;
  const value = withoutAddition(now, text);
  if (value === now) return;
  const path = `/data/${key}`;
  const test = { op: 'test', path, value: now } as const;
  const patch = jsonPatch([test, value === '' ? { op: 'remove', path } : { op: 'replace', path, value }]);
  await cluster.patch(resourceAt(place), refOf(place), { patch, fieldManager, signal });
}

async function undoOnNode({ phase, name, addresses }: EntryOf<'machine'>, deps: CloudDeps): Promise<void> {
  await undoOn({ machine: { name, addresses }, phase }, deps);
  const { timeouts = cloudTimeouts } = deps;
  if (phase === 'egress')
    await awaitApiServer({ node: name, withEgress: false, timeoutMs: timeouts.apiServerMs }, deps);
}

async function undoPhase(entry: EntryOf<'machine'>, deps: CloudDeps): Promise<string | undefined> {
  const now = await machineNow(entry.name, deps);
  if (now === undefined) return undoOnGone(entry, deps);
  // It may have been set up anew since, or moved.
  const addresses = now.addresses.length === 0 ? entry.addresses : now.addresses;
  await undoOnNode({ ...entry, addresses }, deps).catch((error: unknown) => {
    throw orGone(entry.name, error);
  });
  return undefined;
}

/**
 * Takes one thing back. Called again it ends the same. Tells why it stays, for people, on a machine that was removed from the
 * cluster: that holds nothing up. Throws `Conflict` if somebody changed since what we changed.
 */
export async function undoEntry(entry: InventoryEntry, deps: CloudDeps): Promise<string | undefined> {
  switch (entry.kind) {
    case 'made':
      await undoMade(entry, deps);
      return undefined;
    case 'changed':
      await undoChanged(entry, deps);
      return undefined;
    case 'text':
      await undoText(entry, deps);
      return undefined;
    case 'machine':
      return undoPhase(entry, deps);
  }
}
