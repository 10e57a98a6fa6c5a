import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import { type Place, placeKey } from '../inventory/index.ts';
import { isMarkedAsMade } from './metadata.ts';

/**
 * Somebody else's object is kept as it was, in a ConfigMap: no place for what a Secret holds. Throws `Conflict` for a Secret that
 * we did not make.
 */
export function refuseSecret(place: Place, live: KubeObject): void {
  if (place.kind !== 'Secret' || isMarkedAsMade(live)) return;
  throw new SelvedgeError(`${placeKey(place)} is somebody else's, and would have to be changed`, {
    code: 'Conflict',
    hint: `what it holds could not be put back: kubectl delete secret -n ${place.namespace ?? ''} ${place.name} if nobody needs it, then run this again`,
  });
}
