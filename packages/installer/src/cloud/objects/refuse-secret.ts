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
  throw new SelvedgeError(`${placeKey(place)} was not created by selvedge, and would have to be changed`, {
    code: 'Conflict',
    hint: `its content could not be restored later; if it is not needed, run kubectl delete secret -n ${place.namespace ?? ''} ${place.name}, then the same command again`,
  });
}
