import { join } from 'node:path';

/** Where a node keeps what is its own. Everything derives from `root`, so that several can share one machine. */
export interface Paths {
  /** Holds all but the pods' logs. */
  readonly state: string;
  readonly stateDb: string;
  readonly pki: string;
  readonly sealKey: string;
  /** The cluster's CA certificates, PEM. */
  readonly clusterCaPath: string;
  /** The node's certificate chain and its private key in one file, so that they are never replaced by halves. */
  readonly clientPemPath: string;
  /** The key of a certificate that was asked for and not issued yet. */
  readonly pendingKeyPath: string;
  /** The certificate chain and the key by which the node serves the kubelet's API, and the key of the next one. */
  readonly servingPemPath: string;
  readonly pendingServingKeyPath: string;
  /** The hub's authorities with their keys, and the certificates of them that its clients trust. */
  readonly hubAuthorityPath: string;
  readonly hubBundlePath: string;
  /** `<uid>/volumes`, `<uid>/containers`, `<uid>/etc-hosts`. */
  readonly pods: string;
  /** Container logs, laid out as the kubelet does. */
  readonly podLogs: string;
  /** Links to the container logs, where log collectors look. */
  readonly containerLogs: string;
  /** `Localhost` seccomp profiles. */
  readonly seccompProfiles: string;
  /** Which address of the pod network is whose. */
  readonly podAddresses: string;
}

export function paths(root: string): Paths {
  const state = join(root, 'var/lib/selvedge');
  const pki = join(state, 'pki');
  return {
    state,
    stateDb: join(state, 'state.db'),
    pki,
    sealKey: join(pki, 'seal.key'),
    clusterCaPath: join(pki, 'ca.crt'),
    clientPemPath: join(pki, 'client.pem'),
    pendingKeyPath: join(pki, 'client-pending.key'),
    servingPemPath: join(pki, 'serving.pem'),
    pendingServingKeyPath: join(pki, 'serving-pending.key'),
    hubAuthorityPath: join(pki, 'hub-ca.pem'),
    hubBundlePath: join(pki, 'hub-ca.crt'),
    pods: join(state, 'pods'),
    podLogs: join(root, 'var/log/pods'),
    containerLogs: join(root, 'var/log/containers'),
    seccompProfiles: join(state, 'seccomp'),
    podAddresses: join(state, 'pod-addresses'),
  };
}
