import { stringify } from 'yaml';
import type { KeyPair } from './certificate.ts';

export interface KubeconfigOptions {
  /** `https://10.60.0.1:6443`. */
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  /** Names cluster and context. */
  readonly cluster: string;
  readonly user: string;
  readonly credentials: KeyPair;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig that is complete in itself. Source: Kubernetes, "Organizing Cluster Access Using kubeconfig Files". */
export function renderKubeconfig(options: KubeconfigOptions): string {
  const { server, ca, cluster, user, credentials } = options;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: cluster, cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': base64(credentials.certificate),
          'client-key-data': base64(credentials.key),
        },
      },
    ],
    contexts: [{ name: cluster, context: { cluster, user } }],
    'current-context': cluster,
  });
}
