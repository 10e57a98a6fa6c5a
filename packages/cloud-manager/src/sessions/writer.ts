import type { EdgeNodeSession, EdgeNodeStatus } from '@selvedge/api';
import { type KubeClient, applyPatch } from '@selvedge/kube';
import { type EdgeNodeObject, edgeNodeResource } from '../edge-nodes/index.ts';

const timeoutMs = 10_000;

/** Who owns the entries of a server, so that writers of other entries neither lose nor keep them. */
const managerOf = (server: string): string => `selvedge-tunnel-server/${server}`.slice(0, 128);
/** Who makes EdgeNodes, and owns what the leader writes. */
export const manager = 'selvedge-cloud-manager';

async function apply(
  client: Pick<KubeClient, 'patch'>,
  {
    node,
    status,
    fieldManager,
  }: { readonly node: string; readonly status: EdgeNodeStatus; readonly fieldManager: string },
  signal: AbortSignal,
): Promise<EdgeNodeObject> {
  const options = { subresource: 'status', patch: applyPatch({ status }), fieldManager, force: true };
  return client.patch(edgeNodeResource, { name: node }, { ...options, timeoutMs, signal });
}

/** Makes `entries` all that the EdgeNode shows of that server. Source: kubernetes.io "Server-Side Apply". */
export const writeEntries = (
  client: Pick<KubeClient, 'patch'>,
  {
    node,
    server,
    entries,
  }: { readonly node: string; readonly server: string; readonly entries: readonly EdgeNodeSession[] },
  signal: AbortSignal,
): Promise<EdgeNodeObject> =>
  apply(client, { node, status: { sessions: entries }, fieldManager: managerOf(server) }, signal);

export const writeCount = (
  client: Pick<KubeClient, 'patch'>,
  { node, sessionCount }: { readonly node: string; readonly sessionCount: number },
  signal: AbortSignal,
): Promise<EdgeNodeObject> =>
  apply(client, { node, status: { sessionCount }, fieldManager: manager }, signal);
