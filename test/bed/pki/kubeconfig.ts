import { stringify } from 'yaml';
import type { KeyPair } from './certificate.ts';

/** Where a client finds the API: at the API server, or at the hub of its node. */
export interface ApiAccess {
  /** `https://10.60.0.1:6443`. */
  readonly server: string;
  /** PEM, or the file that holds it. */
  readonly ca: string | { readonly file: string };
}

export interface KubeconfigOptions extends ApiAccess {
  /** Names cluster and context. */
  readonly cluster: string;
  readonly user: string;
  readonly credentials: KeyPair;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const authority = (ca: KubeconfigOptions['ca']): object =>
  typeof ca === 'string'
    ? { 'certificate-authority-data': base64(ca) }
    : { 'certificate-authority': ca.file };

/** A kubeconfig that is complete in itself, but for a CA in a file. Source: Kubernetes, "Organizing Cluster Access Using kubeconfig Files". */
export function renderKubeconfig(options: KubeconfigOptions): string {
  const { server, ca, cluster, user, credentials } = options;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: cluster, cluster: { server, ...authority(ca) } }],
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
