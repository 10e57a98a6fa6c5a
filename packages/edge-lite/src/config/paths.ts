import { join } from 'node:path';

/** Where a node keeps what is its own. Everything derives from `root`, so that several can share one machine. */
export interface Paths {
  readonly stateDb: string;
  readonly pki: string;
  readonly sealKey: string;
  /** The cluster's CA certificates, PEM. */
  readonly clusterCa: string;
  /** The node's certificate chain and its private key in one file, so that they are never replaced by halves. */
  readonly clientPem: string;
  /** `<uid>/volumes`, `<uid>/containers`, `<uid>/etc-hosts`. */
  readonly pods: string;
  /** Container logs, laid out as the kubelet does. */
  readonly podLogs: string;
}

export function paths(root: string): Paths {
  const state = join(root, 'var/lib/selvedge');
  const pki = join(state, 'pki');
  return {
    stateDb: join(state, 'state.db'),
    pki,
    sealKey: join(pki, 'seal.key'),
    clusterCa: join(pki, 'ca.crt'),
    clientPem: join(pki, 'client.pem'),
    pods: join(state, 'pods'),
    podLogs: join(root, 'var/log/pods'),
  };
}
