import { labels, managerNamespace } from '@selvedge/api';
import { hasCode } from '@selvedge/kit';
import { type KubeClient, mergePatch, resources } from '@selvedge/kube';
import { fieldManager } from '../inventory/index.ts';
import { podSelector } from '../objects/metadata.ts';

interface EdgeDeps {
  readonly cluster: Pick<KubeClient, 'patch' | 'delete' | 'listAll'>;
  readonly signal: AbortSignal;
}

/** Marks a Node as one at an edge. Pods of cloud-manager that run there are deleted: others take their place elsewhere. */
export async function markEdge(name: string, { cluster, signal }: EdgeDeps): Promise<void> {
  const patch = mergePatch({ metadata: { labels: { [labels.nodeEdge]: 'true' } } });
  await cluster.patch(resources.nodes, { name }, { patch, fieldManager, signal });
  const selection = { labelSelector: podSelector, fieldSelector: `spec.nodeName=${name}` };
  const { items } = await cluster.listAll(resources.pods, {
    namespace: managerNamespace,
    ...selection,
    signal,
  });
  for (const { metadata } of items) {
    const at = { namespace: managerNamespace, name: metadata.name ?? '' };
    try {
      await cluster.delete(resources.pods, at, { signal });
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error;
    }
  }
}

/** Takes the mark from all Nodes that bear it. */
export async function unmarkEdges({ cluster, signal }: EdgeDeps): Promise<void> {
  const { items } = await cluster.listAll(resources.nodes, { labelSelector: labels.nodeEdge, signal });
  const patch = mergePatch({ metadata: { labels: { [labels.nodeEdge]: null } } });
  for (const { metadata } of items) {
    await cluster.patch(resources.nodes, { name: metadata.name ?? '' }, { patch, fieldManager, signal });
  }
}
