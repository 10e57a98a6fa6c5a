import { SelvedgeError } from '@selvedge/kit';
import type { ConfigMap } from '@selvedge/kube/types';
import { parse } from 'yaml';

/** Where a machine that knows nothing yet reads whom to trust. Source: kubernetes.io "ConfigMap Signing". */
export const clusterInfoAt = { namespace: 'kube-public', name: 'cluster-info' } as const;

/** What it says. */
export interface ClusterInfo {
  /** As it is signed. */
  readonly kubeconfig: string;
  /** `https://host:port`. */
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority: string;
}

export const signatureKeyOf = (id: string): string => `jws-kubeconfig-${id}`;

const unreadable = (why: string, cause?: unknown): SelvedgeError =>
  new SelvedgeError(`the ConfigMap kube-public/cluster-info cannot be used: ${why}`, {
    code: 'Invalid',
    cause,
    hint: 'see `kubectl get configmap cluster-info --namespace kube-public --output yaml`; without it, it is made anew',
  });

function clusterIn(kubeconfig: string): Readonly<Record<string, unknown>> {
  try {
    const { clusters } = parse(kubeconfig) as { clusters: readonly { cluster: Record<string, unknown> }[] };
    return clusters[0]?.cluster ?? {};
  } catch (cause) {
    throw unreadable('it holds no kubeconfig', cause);
  }
}

/** Throws `Invalid`. */
export function readClusterInfo({ data = {} }: Pick<ConfigMap, 'data'>): ClusterInfo {
  const kubeconfig = data['kubeconfig'];
  if (kubeconfig === undefined) throw unreadable('it has no kubeconfig');
  const { server, 'certificate-authority-data': authority } = clusterIn(kubeconfig);
  if (typeof server !== 'string' || typeof authority !== 'string')
    throw unreadable('it names no server, or no authority');
  return { kubeconfig, server, certificateAuthority: Buffer.from(authority, 'base64').toString() };
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
