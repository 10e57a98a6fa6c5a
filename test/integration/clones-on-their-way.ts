import { labels } from '@selvedge/api';
import { type KubeClient, type ObjectEvent, resources } from '@selvedge/kube';
import type { Deployment } from '@selvedge/kube/types';
import { namespace, signal } from './app-world.ts';

/** Of one UnitApp, from a moment on; no change between two is missed. */
export interface ClonesOnTheirWay {
  /** Units in the order in which they got something else. */
  readonly begun: readonly string[];
  /** The most that were on their way at any moment. */
  readonly mostAtOnce: number;
  /** What the last change that was seen left on its way. */
  readonly now: ReadonlySet<string>;
  /** Resolves when all is read. Rejects where it was cut off before. */
  end(): Promise<void>;
}

/** Its new pods are not there, or are not available for sure. */
function isOnItsWay({ metadata, spec, status = {} }: Deployment): boolean {
  const { observedGeneration, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  const available = Math.min(updatedReplicas, availableReplicas - (replicas - updatedReplicas));
  return observedGeneration !== metadata.generation || available < (spec?.replicas ?? 1);
}

/** All changes of the clones, in the order in which the API server accepted them. */
export async function followClones(
  client: Pick<KubeClient, 'list' | 'watch'>,
  app: string,
): Promise<ClonesOnTheirWay> {
  const wanted = { namespace, labelSelector: `${labels.unitApp}=${app}`, signal };
  const { items, metadata } = await client.list(resources.deployments, wanted);
  const { resourceVersion } = metadata;
  const watch = await client.watch(resources.deployments, { ...wanted, resourceVersion });
  const unitOf = (clone: Deployment): string => clone.metadata.labels?.[labels.unit] ?? '';
  const generations = new Map(items.map((clone) => [unitOf(clone), clone.metadata.generation]));
  const now = new Set(items.filter(isOnItsWay).map(unitOf));
  const begun: string[] = [];
  let mostAtOnce = now.size;
  const take = ({ object }: ObjectEvent<Deployment>): void => {
    const unit = unitOf(object);
    if (generations.get(unit) !== object.metadata.generation) begun.push(unit);
    generations.set(unit, object.metadata.generation);
    if (isOnItsWay(object)) now.add(unit);
    else now.delete(unit);
    mostAtOnce = Math.max(mostAtOnce, now.size);
  };
  let isEnded = false;
  const reading = (async () => {
    for await (const batch of watch) {
      for (const event of batch) if (event.type !== 'BOOKMARK') take(event);
    }
  })().catch((error: unknown) => (isEnded ? undefined : Promise.reject(error as Error)));
  reading.catch(() => undefined);
  return {
    begun,
    now,
    get mostAtOnce() {
      return mostAtOnce;
    },
    end() {
      isEnded = true;
      watch.close();
      return reading;
    },
  };
}
