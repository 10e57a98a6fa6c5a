import { cloudReachable } from '@selvedge/api';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import { edgeNodeResource } from '../edge-objects.ts';

const options = { timeoutMs: 30_000 } as const;

async function edgeNodeNames(
  client: Pick<KubeClient, 'listAll'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const all = { ...options, metadataOnly: true, signal } as const;
  // It may never have been defined.
  const { items = [] } = (await ifFound(client.listAll(edgeNodeResource, all))) ?? {};
  return items.map(({ metadata }) => metadata.name ?? '');
}

/** The names of nodes that the cloud remembers as edge nodes, or that have said so themselves. */
export async function listTraces(
  client: Pick<KubeClient, 'listAll'>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const names = await edgeNodeNames(client, signal);
  const { items } = await client.listAll(resources.nodes, { ...options, signal });
  const spoken = items.filter(({ status }) =>
    (status?.conditions ?? []).some(({ type }) => type === cloudReachable),
  );
  return new Set([...names, ...spoken.map(({ metadata }) => metadata.name ?? '')]);
}
