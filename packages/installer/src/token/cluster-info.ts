import { SelvedgeError } from '@selvedge/kit';
import { type PublishedCluster, publishedCluster } from '@selvedge/kube';
import type { ConfigMap } from '@selvedge/kube/types';

/** What `kube-public/cluster-info` says. */
export interface ClusterInfo {
  /** As it is signed. */
  readonly kubeconfig: string;
  /** `https://host:port`. */
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority: string;
}

const unreadable = (why: string, cause?: unknown): SelvedgeError =>
  new SelvedgeError(`the ConfigMap kube-public/cluster-info cannot be used: ${why}`, {
    code: 'Invalid',
    cause,
    hint: 'check `kubectl get configmap cluster-info --namespace kube-public --output yaml`; if you delete it, it is created again',
  });

function clusterIn(kubeconfig: string): PublishedCluster {
  try {
    return publishedCluster(kubeconfig);
  } catch (cause) {
    throw unreadable('its kubeconfig cannot be parsed', cause);
  }
}

/** Throws `Invalid`. */
export function readClusterInfo({ data = {} }: Pick<ConfigMap, 'data'>): ClusterInfo {
  const kubeconfig = data['kubeconfig'];
  if (kubeconfig === undefined) throw unreadable('it has no kubeconfig');
  const { server, certificateAuthority } = clusterIn(kubeconfig);
  if (server === undefined || certificateAuthority === undefined)
    throw unreadable('its kubeconfig has no server, or no certificate-authority-data');
  return { kubeconfig, server, certificateAuthority };
}

/** As kubeadm makes it: whom to trust and where to find it, nobody's credentials. */
export function newClusterInfo(server: string, certificateAuthority: string): ClusterInfo {
  const data = Buffer.from(certificateAuthority).toString('base64');
  const cluster = { server, 'certificate-authority-data': data };
  const kubeconfig = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: '', cluster }],
    contexts: [],
    users: [],
    'current-context': '',
    preferences: {},
  });
  return { kubeconfig, server, certificateAuthority };
}
