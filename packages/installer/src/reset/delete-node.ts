import { autonomyAnnotations } from '@selvedge/api';
import { type Clock, hasCode, messageOf } from '@selvedge/kit';
import { type KubeClient, ifFound, mergePatch, resources } from '@selvedge/kube';
import { fieldManager } from '../changes/index.ts';
import { edgeNodeResource } from '../edge-objects.ts';

export interface DeleteNodeDeps {
  readonly cluster: Pick<KubeClient, 'get' | 'delete' | 'patch'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told what stays although it should not, and how to take it away. */
  readonly onLeft: (text: string) => void;
}

/** cloud-manager hears of what was written a moment ago within moments. */
const patienceMs = 5_000;
const pauseMs = 200;
const takeBackTimeoutMs = 10_000;

const { allowDeletion } = autonomyAnnotations;
const annotate = (value: 'true' | null) =>
  mergePatch({ metadata: { annotations: { [allowDeletion]: value } } });

/** What keeps the Node of a node that is cut off: there is nothing, we told it that nothing runs there, or somebody did before. */
type Guard = 'none' | 'told' | 'told-before';

/** Who may not write to an EdgeNode may delete Nodes all the same. */
async function tellGuard(name: string, { cluster, signal }: DeleteNodeDeps): Promise<Guard> {
  try {
    const edgeNode = await ifFound(cluster.get(edgeNodeResource, { name }, { signal }));
    if (edgeNode === undefined) return 'none';
    if (edgeNode.metadata.annotations?.[allowDeletion] === 'true') return 'told-before';
    await cluster.patch(edgeNodeResource, { name }, { patch: annotate('true'), fieldManager, signal });
    return 'told';
  } catch (error) {
    if (hasCode(error, 'NotFound', 'Forbidden')) return 'none';
    throw error;
  }
}

/** Also from an EdgeNode that outlives its Node: the next of that name is guarded again. */
async function takeBack(name: string, { cluster, onLeft }: DeleteNodeDeps): Promise<void> {
  // Not with the signal of the work, which it may have been that ended it.
  const { signal } = new AbortController();
  try {
    const options = { patch: annotate(null), fieldManager, signal, timeoutMs: takeBackTimeoutMs };
    await cluster.patch(edgeNodeResource, { name }, options);
  } catch (error) {
    if (hasCode(error, 'NotFound')) return;
    const byHand = `kubectl annotate edgenode ${name} ${allowDeletion}-`;
    onLeft(
      `EdgeNode ${name} may still allow the deletion of its Node: ${messageOf(error)}; to guard it again:\n    ${byHand}`,
    );
  }
}

async function deleteUntil(name: string, endMs: number, deps: DeleteNodeDeps): Promise<void> {
  const { cluster, clock, signal } = deps;
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

/**
 * Deletes the Node of a machine on which nothing runs any more, and meanwhile tells cloud-manager so, which sees a node that is cut off.
 * Not being there is what is wanted. Throws what the API server says.
 */
export async function deleteNode(name: string, deps: DeleteNodeDeps): Promise<void> {
  const guard = await tellGuard(name, deps);
  const patience = guard === 'none' ? 0 : patienceMs;
  try {
    await deleteUntil(name, deps.clock.monotonicMs() + patience, deps);
  } finally {
    if (guard === 'told') await takeBack(name, deps);
  }
}
