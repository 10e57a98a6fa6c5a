import { type Logger, hasCode } from '@selvedge/kit';
import { type KubeClient, resources, strategicMergePatch } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';

export interface RegisterDeps {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'patch'>;
  readonly log: Logger;
}

/** One that hangs is given up and tried again. */
const timeoutMs = 30_000;

/** Those of `own` that the Node lacks or has otherwise. */
function staleLabels(node: Node, own: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const wrong = Object.entries(own).filter(([name, value]) => node.metadata.labels?.[name] !== value);
  return Object.fromEntries(wrong);
}

/**
 * Creates the Node, or takes over the one that is there and puts its own labels right, as the kubelet does. Labels and
 * taints that somebody else set stay. Returns the Node as the API server has it.
 */
export async function registerNode(
  options: { readonly node: Node; readonly ownLabels: Readonly<Record<string, string>> },
  { client, log }: RegisterDeps,
  signal: AbortSignal,
): Promise<Node> {
  const name = options.node.metadata.name ?? '';
  try {
    const created = await client.create(resources.nodes, options.node, { timeoutMs, signal });
    log.info('node registered', { node: name });
    return created;
  } catch (error) {
    if (!hasCode(error, 'AlreadyExists')) throw error;
  }
  const existing = await client.get(resources.nodes, { name }, { timeoutMs, signal });
  log.info('node was registered before', { node: name });
  const labels = staleLabels(existing, options.ownLabels);
  if (Object.keys(labels).length === 0) return existing;
  const patch = strategicMergePatch({ metadata: { uid: existing.metadata.uid, labels } });
  return client.patch(resources.nodes, { name }, { patch, timeoutMs, signal });
}
