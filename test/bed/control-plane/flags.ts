import { apiServerPort, podRange, serviceRange } from '../addresses.ts';
import type { ControlPlaneDescription } from '../description.ts';
import type { KeyPairFiles } from '../pki/pki.ts';

/** The files that the control plane's programs are given. */
export interface ControlPlaneFiles {
  readonly etcdData: string;
  readonly auditLog: string;
  readonly auditPolicy: string;
  readonly ca: KeyPairFiles;
  readonly frontProxyCa: KeyPairFiles;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  readonly apiServer: KeyPairFiles;
  readonly kubeletClient: KeyPairFiles;
  readonly frontProxyClient: KeyPairFiles;
  readonly controllerManagerKubeconfig: string;
  readonly schedulerKubeconfig: string;
  /** Where its connections into the cluster go, if not directly. */
  readonly egressSelector: string | undefined;
}

/** `--name=value` for each entry; `undefined` leaves the flag out. */
function flags(values: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}

const etcdClientUrl = 'http://127.0.0.1:2379';

/** etcd on the loopback of the cloud's namespace, which nobody else reaches. Never safe against a crash of the machine. */
export function etcdFlags(files: ControlPlaneFiles): string[] {
  return flags({
    name: 'bed',
    'data-dir': files.etcdData,
    'listen-client-urls': etcdClientUrl,
    'advertise-client-urls': etcdClientUrl,
    'listen-peer-urls': 'http://127.0.0.1:2380',
    'unsafe-no-fsync': true,
  });
}

export function apiServerFlags(
  files: ControlPlaneFiles,
  address: string,
  description: ControlPlaneDescription,
): string[] {
  const own = flags({
    'etcd-servers': etcdClientUrl,
    'advertise-address': address,
    'secure-port': apiServerPort,
    'tls-cert-file': files.apiServer.certificateFile,
    'tls-private-key-file': files.apiServer.keyFile,
    'client-ca-file': files.ca.certificateFile,
    'kubelet-client-certificate': files.kubeletClient.certificateFile,
    'kubelet-client-key': files.kubeletClient.keyFile,
    'kubelet-certificate-authority': files.ca.certificateFile,
    // Through the tunnel by name: two sites have the same addresses.
    'kubelet-preferred-address-types':
      files.egressSelector === undefined ? 'InternalIP,Hostname' : 'Hostname,InternalIP',
    'service-account-key-file': files.serviceAccountPublicKey,
    'service-account-signing-key-file': files.serviceAccountKey,
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-cluster-ip-range': serviceRange,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'enable-bootstrap-token-auth': true,
    'requestheader-client-ca-file': files.frontProxyCa.certificateFile,
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-username-headers': 'X-Remote-User',
    'proxy-client-cert-file': files.frontProxyClient.certificateFile,
    'proxy-client-key-file': files.frontProxyClient.keyFile,
    'audit-policy-file': files.auditPolicy,
    'audit-log-path': files.auditLog,
    'audit-log-maxsize': 100,
    'audit-log-maxbackup': 1,
    'allow-privileged': true,
  });
  const { egressSelector } = files;
  const egress = egressSelector === undefined ? {} : { 'egress-selector-config-file': egressSelector };
  return [...own, ...flags(egress), ...description.apiServerFlags];
}

export function controllerManagerFlags(
  files: ControlPlaneFiles,
  description: ControlPlaneDescription,
): string[] {
  const kubeconfig = files.controllerManagerKubeconfig;
  const own = flags({
    kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'bind-address': '127.0.0.1',
    'client-ca-file': files.ca.certificateFile,
    controllers: '*,bootstrapsigner,tokencleaner',
    'use-service-account-credentials': true,
    'service-account-private-key-file': files.serviceAccountKey,
    'root-ca-file': files.ca.certificateFile,
    'cluster-signing-cert-file': files.ca.certificateFile,
    'cluster-signing-key-file': files.ca.keyFile,
    'cluster-signing-duration': description.signingDuration,
    'allocate-node-cidrs': true,
    'cluster-cidr': podRange,
    'service-cluster-ip-range': serviceRange,
    'leader-elect': false,
  });
  return [...own, ...description.controllerManagerFlags];
}

export function schedulerFlags(files: ControlPlaneFiles): string[] {
  const kubeconfig = files.schedulerKubeconfig;
  return flags({
    kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'bind-address': '127.0.0.1',
    'leader-elect': false,
  });
}

/** Who did what, without the bodies; reads of the watch cache are left out. Source: Kubernetes, "Auditing". */
export const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*'] },
    { level: 'None', resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
    { level: 'Metadata' },
  ],
};
