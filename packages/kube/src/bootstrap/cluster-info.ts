import { SelvedgeError } from '@selvedge/kit';
import { parse } from 'yaml';
import { pinned } from './certificates.ts';
import { type BootstrapToken, signedByToken } from './token.ts';

/** Where a machine that knows nothing yet reads whom to trust. Source: kubernetes.io "ConfigMap Signing". */
export const clusterInfoAt = { namespace: 'kube-public', name: 'cluster-info' } as const;

/** The field of it that holds a token's signature over its `kubeconfig`. */
export const clusterInfoSignatureKey = (tokenId: string): string => `jws-kubeconfig-${tokenId}`;

export type ClusterInfo =
  /** PEM of the CA certificates to trust. */
  | { readonly kind: 'trusted'; readonly clusterCa: string }
  /** No signature by this token: it is signed some seconds after the token was made, and never for a dead one. */
  | { readonly kind: 'unsigned' };

const refused = (message: string, hint: string): SelvedgeError =>
  new SelvedgeError(message, { code: 'Unauthenticated', hint });

function stringAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  let current: unknown = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Readonly<Record<string | number, unknown>>)[key];
  }
  return typeof current === 'string' ? current : undefined;
}

/** The one cluster that the `kubeconfig` of `cluster-info` names. */
export interface PublishedCluster {
  /** `https://host:port`. */
  readonly server: string | undefined;
  /** PEM. */
  readonly certificateAuthority: string | undefined;
}

/** Throws what the YAML parser throws. */
export function publishedCluster(kubeconfig: string): PublishedCluster {
  const parsed: unknown = parse(kubeconfig);
  const authority = stringAt(parsed, 'clusters', 0, 'cluster', 'certificate-authority-data');
  return {
    server: stringAt(parsed, 'clusters', 0, 'cluster', 'server'),
    certificateAuthority: authority === undefined ? undefined : Buffer.from(authority, 'base64').toString(),
  };
}

/**
 * What the ConfigMap `kube-public/cluster-info`, read from a server that nobody vouches for yet, may be trusted with:
 * signed by the token and holding the pinned CA, as `kubeadm join` demands. Throws `Unauthenticated`.
 */
export function verifyClusterInfo(configMap: unknown, token: BootstrapToken, pin: string): ClusterInfo {
  const kubeconfig = stringAt(configMap, 'data', 'kubeconfig');
  const signature = stringAt(configMap, 'data', clusterInfoSignatureKey(token.id));
  if (kubeconfig === undefined || signature === undefined) return { kind: 'unsigned' };
  if (!signedByToken(kubeconfig, signature, token)) {
    throw refused(
      `cluster-info is not signed by the secret of bootstrap token ${token.id}`,
      'the token is mistyped, or the server is not the one it was made for',
    );
  }
  const clusterCa = pinned(publishedCluster(kubeconfig).certificateAuthority ?? '', pin);
  if (clusterCa === '') {
    throw refused(
      `the cluster's CA is not the pinned one (${pin})`,
      'compare the hash with that of the control plane: somebody may be in between',
    );
  }
  return { kind: 'trusted', clusterCa };
}
