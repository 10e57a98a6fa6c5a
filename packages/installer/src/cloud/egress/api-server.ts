import type { Clock } from '@selvedge/kit';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { type Reading, seenOr } from '../../reading/index.ts';
import { isSo, poll } from '../../waiting/index.ts';
import { egressConfigFile, egressFlag } from './manifest.ts';

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;

/** Whether it goes through cloud-manager; undefined: that is no API server. */
function hasEgress({ spec }: Pod): boolean | undefined {
  const container = spec?.containers.find(({ name }) => name === 'kube-apiserver');
  return container && (container.command ?? []).includes(`${egressFlag}=${egressConfigFile}`);
}

/** Whether the pod is that of the newest manifest and serves: the kubelet there asks its /readyz. */
const serves = (pod: Pod, withEgress: boolean): boolean => hasEgress(pod) === withEgress && isReady(pod);

const ofApiServers = { namespace: 'kube-system', labelSelector: 'component=kube-apiserver' } as const;

/**
 * Whether an API server reaches nodes at the edge by the tunnel alone: through cloud-manager, by whoever set that up. False where
 * API servers are no pods.
 */
export async function needsTunnel(
  cluster: Pick<KubeClient, 'listAll'>,
  signal: AbortSignal,
): Promise<boolean> {
  const { items } = await cluster.listAll(resources.pods, { ...ofApiServers, signal });
  return items.some((pod) => hasEgress(pod) === true);
}

/** Nodes whose API server is known not to go through cloud-manager: none, for who may not list pods there. */
export async function withoutEgress(reading: Pick<Reading, 'list'>): Promise<readonly string[]> {
  const pods = seenOr(await reading.list(resources.pods, ofApiServers), []);
  const names = pods.filter((pod) => hasEgress(pod) === false).map(({ spec }) => spec?.nodeName ?? '');
  return names.filter((name) => name !== '').toSorted();
}

export interface ApiServerWatch {
  /** The name of its Node. */
  readonly node: string;
  readonly withEgress: boolean;
  readonly timeoutMs: number;
}

/**
 * Waits until the API server of a machine runs with its new manifest and is ready: its mirror pod, which the kubelet makes anew
 * for another manifest, shows both. Source: kubernetes.io "Create static Pods". Throws `DeadlineExceeded`.
 */
export function awaitApiServer(
  { node, withEgress, timeoutMs }: ApiServerWatch,
  {
    cluster,
    clock,
    signal,
  }: { readonly cluster: Pick<KubeClient, 'get'>; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const at = { namespace: 'kube-system', name: `kube-apiserver-${node}` };
  const waiting = {
    what: `the API server on ${node} to become ready with its ${withEgress ? 'new' : 'old'} manifest`,
    timeoutMs,
    hint: `on ${node}, see crictl logs of the container kube-apiserver and journalctl -u kubelet`,
  };
  return poll(waiting, { clock, signal }, async () => {
    const pod = await ifFound(cluster.get(resources.pods, at, { signal }));
    return isSo(
      pod !== undefined && serves(pod, withEgress),
      pod === undefined ? 'its pod is not there' : 'its pod is not Ready with it',
    );
  });
}
