import { SelvedgeError } from '@selvedge/kit';
import type { KubeClient, KubeObject, Resource, Watch, WatchOptions } from '@selvedge/kube';

/** What a list-watch calls. */
export type ListWatchClient = Pick<KubeClient, 'list' | 'watch'>;

const timeoutMs = 30_000;

/** Versions of one resource are decimal numbers that grow. Source: KEP-5504, "Comparable Resource Version". */
function isAhead(version: string, current: string): boolean {
  return [version, current].every((one) => /^\d+$/.test(one)) && BigInt(version) > BigInt(current);
}

/**
 * Looks, before the first watch that goes on from the version of an `earlier` run, whether the cluster has come as far: one
 * that was restored from a backup would send nothing until it has, and nothing of what it did meanwhile. Then the watch
 * is refused with `Gone`, which leads to a list. Costs a list of one object.
 */
export function refuseFutureVersion(earlier: string | undefined, client: ListWatchClient): ListWatchClient {
  let looked = false;
  const look = async <T extends KubeObject>(resource: Resource<T>, options: WatchOptions): Promise<void> => {
    const { resourceVersion, namespace, labelSelector, fieldSelector, signal } = options;
    if (looked || resourceVersion === undefined || resourceVersion !== earlier) return;
    const page = { namespace, labelSelector, fieldSelector, signal, limit: 1, timeoutMs };
    const { metadata } = await client.list(resource, page);
    looked = true;
    const current = metadata.resourceVersion ?? '';
    if (!isAhead(resourceVersion, current)) return;
    const message = `version ${resourceVersion} is ahead of the cluster's ${current}: it was restored from a backup`;
    throw new SelvedgeError(message, { code: 'Gone' });
  };
  return {
    list: (resource, options) => client.list(resource, options),
    async watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): Promise<Watch<T>> {
      await look(resource, options);
      return client.watch(resource, options);
    },
  };
}
