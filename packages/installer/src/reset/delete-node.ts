import { autonomyAnnotations } from '@selvedge/api';
import { type Clock, hasCode } from '@selvedge/kit';
import { type KubeClient, mergePatch, resources } from '@selvedge/kube';
import { fieldManager } from '../changes/index.ts';
import { edgeNodeResource } from '../edge-objects.ts';

export interface DeleteNodeDeps {
  readonly cluster: Pick<KubeClient, 'delete' | 'patch'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** cloud-manager hears of what was written a moment ago within moments. */
const patienceMs = 5_000;
const pauseMs = 200;

/**
 * Whether the cloud has an EdgeNode of it, whose Node is kept while nobody knows whether its pods still run. Who may not write to
 * it may delete Nodes all the same.
 */
async function allow(name: string, { cluster, signal }: DeleteNodeDeps): Promise<boolean> {
  const patch = mergePatch({ metadata: { annotations: { [autonomyAnnotations.allowDeletion]: 'true' } } });
  try {
    await cluster.patch(edgeNodeResource, { name }, { patch, fieldManager, signal });
    return true;
  } catch (error) {
    if (hasCode(error, 'NotFound', 'Forbidden')) return false;
    throw error;
  }
}

/**
 * Deletes the Node of a machine on which nothing runs any more, and says so to cloud-manager, which sees a node that is cut off. Not
 * being there is what is wanted. Throws what the API server says.
 */
export async function deleteNode(name: string, deps: DeleteNodeDeps): Promise<void> {
  const { cluster, clock, signal } = deps;
  const isGuarded = await allow(name, deps);
  const endMs = clock.monotonicMs() + (isGuarded ? patienceMs : 0);
  for (;;) {
    try {
      return await cluster.delete(resources.nodes, { name }, { signal });
    } catch (error) {
      if (hasCode(error, 'NotFound')) return;
      if (!hasCode(error, 'Forbidden') || clock.monotonicMs() >= endMs) throw error;
    }
    await clock.sleep(pauseMs, signal);
  }
}
