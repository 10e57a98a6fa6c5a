import { hasCode } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import type { KubeProxyLayout } from '../layouts/index.ts';
import type { PodSight } from './pods.ts';

const namespace = 'kube-system';
const requestTimeoutMs = 15_000;

type ProxyPodLayout =
  | Pick<Extract<KubeProxyLayout, { kind: 'argument' }>, 'kind' | 'inPod'>
  | Exclude<KubeProxyLayout, { kind: 'argument' }>;

/**
 * Whether it is the kube-proxy of its node, which reads where its API server is when it starts. Sources: kubeadm's
 * "manifests.go" of the proxy addon; RKE2's "staticpod.go".
 */
export function isProxyPod(layout: ProxyPodLayout, pod: PodSight): boolean {
  if (pod.namespace !== namespace) return false;
  if (layout.kind === 'daemonset') return pod.labels['k8s-app'] === 'kube-proxy';
  return layout.kind === 'argument' && layout.inPod && pod.labels['component'] === 'kube-proxy';
}

/** The same, where the layout is not known: that of RKE2 is in a static pod, which starts again with its unit. */
export const isAnyProxyPod = (pod: PodSight): boolean =>
  isProxyPod({ kind: 'daemonset' }, pod) || isProxyPod({ kind: 'argument', inPod: true }, pod);

/** Deletes pods; their DaemonSet makes others in their place. Those that are gone, or on their way, are left alone. */
export async function replacePods(
  client: Pick<KubeClient, 'delete'>,
  pods: readonly PodSight[],
  signal: AbortSignal,
): Promise<void> {
  const options = { timeoutMs: requestTimeoutMs, signal };
  const replace = async ({ name, uid, isDeleted }: PodSight): Promise<void> => {
    if (isDeleted) return;
    try {
      await client.delete(resources.pods, { namespace, name }, { ...options, preconditions: { uid } });
    } catch (error) {
      if (!hasCode(error, 'NotFound', 'Conflict')) throw error;
    }
  };
  await Promise.all(pods.map(replace));
}
