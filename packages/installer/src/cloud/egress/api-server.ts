import type { Clock } from '@selvedge/kit';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { isSo, poll } from '../../waiting/index.ts';
import { egressConfigFile, egressFlag } from './manifest.ts';

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;

/** Whether the pod is that of the newest manifest and serves: the kubelet there asks its /readyz. */
function serves(pod: Pod | undefined, withEgress: boolean): boolean {
  const container = pod?.spec?.containers.find(({ name }) => name === 'kube-apiserver');
  if (pod === undefined || container === undefined) return false;
  const { command = [] } = container;
  return command.includes(`${egressFlag}=${egressConfigFile}`) === withEgress && isReady(pod);
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
      serves(pod, withEgress),
      pod === undefined ? 'its pod is not there' : 'its pod is not Ready with it',
    );
  });
}
