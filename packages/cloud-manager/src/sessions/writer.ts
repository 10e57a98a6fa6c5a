import { type EdgeNodeSession, type EdgeNodeStatus, labels } from '@selvedge/api';
import { type KubeClient, applyPatch } from '@selvedge/kube';
import { type EdgeNodeObject, edgeNodeResource } from '../edge-nodes/index.ts';

/** The one place where EdgeNodes are written for the sake of sessions. Each call is given up after ten seconds. */
export interface SessionWriter {
  /** Makes the EdgeNode of a node. Rejects with `AlreadyExists`. */
  create(node: string, signal: AbortSignal): Promise<EdgeNodeObject>;
  /** Makes `entries` all that the EdgeNode shows of that server. Source: kubernetes.io "Server-Side Apply". */
  show(
    shown: { readonly node: string; readonly server: string; readonly entries: readonly EdgeNodeSession[] },
    signal: AbortSignal,
  ): Promise<EdgeNodeObject>;
  /** How many sessions it shows of all servers: the leader's to say. */
  count(node: string, sessionCount: number, signal: AbortSignal): Promise<EdgeNodeObject>;
  /** Rejects with `Conflict` if it is not as it was seen any more. */
  delete(seen: EdgeNodeObject, signal: AbortSignal): Promise<void>;
}

const timeoutMs = 10_000;

/** Who owns the entries of a server, so that writers of other entries neither lose nor keep them. */
const managerOf = (server: string): string => `selvedge-tunnel-server/${server}`.slice(0, 128);
/** Who makes EdgeNodes, and owns what the leader writes. */
const manager = 'selvedge-cloud-manager';

/** Whether a server made it, and not a person. */
export const isMadeByServer = ({ metadata }: EdgeNodeObject): boolean =>
  metadata.labels?.[labels.managedBy] === manager;

export function createSessionWriter(client: Pick<KubeClient, 'create' | 'delete' | 'patch'>): SessionWriter {
  const apply = (
    node: string,
    { status, fieldManager }: { readonly status: EdgeNodeStatus; readonly fieldManager: string },
    signal: AbortSignal,
  ): Promise<EdgeNodeObject> => {
    const options = { subresource: 'status', patch: applyPatch({ status }), fieldManager, force: true };
    return client.patch(edgeNodeResource, { name: node }, { ...options, timeoutMs, signal });
  };
  return {
    create(node, signal) {
      const metadata = { name: node, labels: { [labels.managedBy]: manager } };
      return client.create(edgeNodeResource, { metadata }, { fieldManager: manager, timeoutMs, signal });
    },
    show: ({ node, server, entries }, signal) =>
      apply(node, { status: { sessions: entries }, fieldManager: managerOf(server) }, signal),
    count: (node, sessionCount, signal) =>
      apply(node, { status: { sessionCount }, fieldManager: manager }, signal),
    async delete({ metadata: { name = '', uid = '', resourceVersion = '' } }, signal) {
      const preconditions = { uid, resourceVersion };
      await client.delete(edgeNodeResource, { name }, { preconditions, timeoutMs, signal });
    },
  };
}
