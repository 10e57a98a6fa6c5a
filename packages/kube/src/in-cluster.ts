import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import type { ClusterAccess } from './kubeconfig.ts';

export interface InClusterOptions {
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are read. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the service account is mounted. Default `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly folder?: string | undefined;
}

/**
 * The API server as a pod reaches it, with its service account. Throws `NotFound` where this is no pod with one. Source:
 * kubernetes.io "Accessing the Kubernetes API from a Pod".
 */
export async function inClusterAccess(options: InClusterOptions): Promise<ClusterAccess> {
  const { environment, folder = '/var/run/secrets/kubernetes.io/serviceaccount' } = options;
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = environment;
  const namespace = await readFile(join(folder, 'namespace'), 'utf8').catch((cause: unknown) => {
    throw new SelvedgeError('there is no service account of a pod', { code: 'NotFound', cause });
  });
  if (host === '' || port === '') {
    throw new SelvedgeError('KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set', {
      code: 'NotFound',
    });
  }
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    credentials: {
      certificateAuthority: { file: join(folder, 'ca.crt') },
      bearerToken: { file: join(folder, 'token') },
    },
    namespace: namespace.trim(),
  };
}
