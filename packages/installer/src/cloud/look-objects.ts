import { hasCode } from '@selvedge/kit';
import { type KubeClient, type KubeObject, applyPatch } from '@selvedge/kube';
import { fieldManager, liveAt, placeKey, placeOf, refOf, resourceAt } from './inventory/index.ts';
import { isMarkedAsMade, markedAsMade } from './objects/metadata.ts';
import type { ObjectSeen } from './types.ts';

interface LookDeps {
  readonly cluster: Pick<KubeClient, 'get' | 'patch'>;
  readonly signal: AbortSignal;
}

/** As it is applied: what we made before stays marked as ours. */
export const toApply = (object: KubeObject, live: KubeObject | undefined): KubeObject =>
  live === undefined || isMarkedAsMade(live) ? markedAsMade(object) : object;

/** What the API server would make of it. Source: kubernetes.io "Server-Side Apply", "Conflicts"; `dryRun=All`. */
async function tryOut(object: KubeObject, { cluster, signal }: LookDeps): Promise<Omit<ObjectSeen, 'live'>> {
  const place = placeOf(object);
  const options = { patch: applyPatch(object), fieldManager, dryRun: true, signal };
  const run = (force: boolean): Promise<KubeObject> =>
    cluster.patch(resourceAt(place), refOf(place), { ...options, force });
  try {
    return { applied: await run(false), conflicts: [] };
  } catch (error) {
    if (!hasCode(error, 'Conflict')) throw error;
    const said = error.message.split('\n').map((line) => line.trim());
    return { applied: await run(true), conflicts: said };
  }
}

/** What there is of the objects, by `placeKey`. Nothing is changed. */
export async function lookAtObjects(
  objects: readonly KubeObject[],
  deps: LookDeps,
): Promise<ReadonlyMap<string, ObjectSeen>> {
  const seen = objects.map(async (object) => {
    const place = placeOf(object);
    const live = await liveAt(place, deps);
    if (live === undefined) return undefined;
    return [placeKey(place), { live, ...(await tryOut(toApply(object, live), deps)) }] as const;
  });
  return new Map((await Promise.all(seen)).filter((one) => one !== undefined));
}
