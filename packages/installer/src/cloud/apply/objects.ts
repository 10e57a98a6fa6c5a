import { SelvedgeError } from '@selvedge/kit';
import { type KubeObject, applyPatch } from '@selvedge/kube';
import { fieldManager, liveAt, placeKey, placeOf, refOf, resourceAt } from '../inventory/index.ts';
import { isMarkedAsMade, markedAsMade } from '../objects/metadata.ts';
import { refuseSecret } from '../objects/refuse-secret.ts';
import type { CloudChange, CloudDeps } from '../types.ts';
import type { Ledger } from './ledger.ts';

type ObjectChange = Extract<CloudChange, { kind: 'object' }>;
type Deps = Pick<CloudDeps, 'cluster' | 'signal'>;

function inBetween(change: ObjectChange): SelvedgeError {
  return new SelvedgeError(`${placeKey(change.place)} was created by someone else in the meantime`, {
    code: 'Conflict',
    hint: 'run the same command again; it makes a new plan',
  });
}

/** Applies an object as ours, without its being written down: the namespace, in which that is. */
export async function applyObject(
  { place, object, force }: Pick<ObjectChange, 'place' | 'object' | 'force'>,
  { cluster, signal }: Deps,
): Promise<KubeObject> {
  return cluster.patch(resourceAt(place), refOf(place), {
    patch: applyPatch(object),
    fieldManager,
    force,
    signal,
  });
}

/** Makes or changes an object, and writes down that before. */
export async function applyChange(change: ObjectChange, ledger: Ledger, deps: Deps): Promise<void> {
  const { place } = change;
  const live = await liveAt(place, deps);
  const isOurs = live === undefined || isMarkedAsMade(live);
  if (change.what === 'make' && !isOurs) throw inBetween(change);
  if (!isOurs) refuseSecret(place, live);
  await ledger.announce(place, isOurs ? undefined : live);
  ledger.done(place, await applyObject(change, deps));
}

/** The same for an object whose content is known only now. */
export function applyMade(object: KubeObject, ledger: Ledger, deps: Deps): Promise<void> {
  const change = {
    what: 'make',
    place: placeOf(object),
    object: markedAsMade(object),
    detail: [],
    force: false,
  } as const;
  return applyChange({ kind: 'object', ...change }, ledger, deps);
}
