import { type KubeClient, type KubeObject, ifFound } from '@selvedge/kube';
import { refOf, resourceAt } from './place.ts';
import type { Place } from './types.ts';

interface LiveDeps {
  readonly cluster: Pick<KubeClient, 'get'>;
  readonly signal: AbortSignal;
}

/** The object of a place as it is now, if there is one. */
export const liveAt = (place: Place, { cluster, signal }: LiveDeps): Promise<KubeObject | undefined> =>
  ifFound(cluster.get(resourceAt(place), refOf(place), { signal }));
