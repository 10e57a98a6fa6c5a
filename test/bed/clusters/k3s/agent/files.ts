import { stringify } from 'yaml';
import { k3sPaths } from '../paths.ts';
import { loadBalancerPort } from './load-balancer.ts';

const { agent } = k3sPaths;

/** The kubeconfig of a component, which goes through the load balancer. Source: k3s, `pkg/daemons/control/deps`. */
function renderComponentKubeconfig(certificate: string): string {
  const user = {
    'client-certificate': `${agent}/${certificate}.crt`,
    'client-key': `${agent}/${certificate}.key`,
  };
  const cluster = {
    server: `https://127.0.0.1:${loadBalancerPort}`,
    'certificate-authority': `${agent}/server-ca.crt`,
  };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'local', cluster }],
    users: [{ name: 'user', user }],
    contexts: [{ name: 'Default', context: { cluster: 'local', namespace: 'default', user: 'user' } }],
    'current-context': 'Default',
  });
}

/** What k3s tells its kubelet beside flags. Source: k3s, `pkg/daemons/agent`. */
function renderKubeletDefaults(): string {
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: '0.0.0.0',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${agent}/client-ca.crt` },
    },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    containerRuntimeEndpoint: `unix://${k3sPaths.runtimeSocket}`,
    failSwapOn: false,
    healthzBindAddress: '127.0.0.1',
    serializeImagePulls: false,
    staticPodPath: `${agent}/pod-manifests`,
    tlsCertFile: `${agent}/serving-kubelet.crt`,
    tlsPrivateKeyFile: `${agent}/serving-kubelet.key`,
  });
}

/** What the agent writes anew at each start: path → content. */
export const writtenAtStart = (): Readonly<Record<string, string>> => ({
  [`${agent}/kubelet.kubeconfig`]: renderComponentKubeconfig('client-kubelet'),
  [`${agent}/kubeproxy.kubeconfig`]: renderComponentKubeconfig('client-kube-proxy'),
  [`${k3sPaths.kubeletConfigFolder}/00-k3s-defaults.conf`]: renderKubeletDefaults(),
});
