import { stringify } from 'yaml';

export interface KubeconfigOptions {
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly token: string;
}

/** A kubeconfig of cloud-manager's service account. Source: kubernetes.io "kubeconfig (v1)". Pure. */
export function tokenKubeconfig({ server, ca, token }: KubeconfigOptions): string {
  const name = 'cloud-manager';
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      { name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}
