import { type Rules, type Told, inCluster } from '../rule.ts';

const told = (severity: Told['severity'], rest: Omit<Told, 'severity' | 'where'>): Told => ({
  severity,
  where: inCluster,
  ...rest,
});

const egressFlag = 'egress-selector-config-file';
/** What the installer writes. */
const ourEgress = /selvedge/;

export const clusterRules: Rules = {
  'own-clock': ({ cluster: { ownAheadMs } }) => {
    if (Math.abs(ownAheadMs) < 30_000) return [];
    const seconds = Math.round(Math.abs(ownAheadMs) / 1_000);
    return [
      told('warning', {
        what: `the clock of this computer is ${seconds} s ${ownAheadMs > 0 ? 'ahead of' : 'behind'} the API server's`,
        why: 'certificates and tokens that are made here are of that time',
        mend: 'timedatectl set-ntp true, on this computer or on the API server, whichever is wrong',
      }),
    ];
  },
  'control-plane-hosted': ({ cluster: { apiServers } }) =>
    apiServers.length > 0
      ? []
      : [
          told('info', {
            what: 'API servers are not to be seen as pods: the control plane is hosted, or no pods',
            why: 'its flags cannot be checked, and it cannot be told to go through the tunnel: kubectl logs, exec and port-forward do not reach converted nodes behind NAT; metrics-server, Prometheus and single nodes by the passthrough of port 10250 do',
            mend: 'where the operator of the control plane takes an EgressSelector: docs/operations/cloud-manager.md, "Let the API server reach the edge"',
          }),
        ],
  'egress-present': ({ cluster: { apiServers } }) =>
    apiServers
      .filter(({ flags }) => flags[egressFlag] !== undefined && !ourEgress.test(flags[egressFlag]))
      .map(({ node, flags }) =>
        told('warning', {
          what: `the API server on ${node} has an EgressSelector already: ${flags[egressFlag]}`,
          why: 'an API server has one; konnectivity, or whatever it leads to, would be replaced by the tunnel',
          mend: 'see what it is for; take it away first, or use --manager deployment, which leaves API servers alone',
        }),
      ),
  'kube-proxy-missing': ({ cluster: { kubeProxyMode }, nodes }) =>
    kubeProxyMode !== undefined || nodes.some(({ machine }) => machine.kind === 'seen')
      ? []
      : [
          told('info', {
            what: 'there is no DaemonSet kube-system/kube-proxy',
            why: 'a kube-proxy that is part of k3s or RKE2 is found on the machine; what replaces kube-proxy (Cilium, for instance) reads Services at the API server, so that they do not close inside a unit',
            mend: 'give a transport (--transport ssh) to look at the machines',
          }),
        ],
  'kube-proxy-mode': ({ cluster: { kubeProxyMode } }) =>
    kubeProxyMode !== 'ipvs'
      ? []
      : [
          told('warning', {
            what: 'kube-proxy runs in the mode ipvs',
            why: 'Kubernetes has deprecated it, and Selvedge is tested with iptables and nftables',
            mend: 'kubectl -n kube-system edit configmap kube-proxy, mode: nftables; then kubectl -n kube-system rollout restart daemonset kube-proxy',
          }),
        ],
  'dns-zone-impossible': ({ cluster: { dns } }) =>
    dns.coreDns
      ? []
      : [
          told('warning', {
            what: 'no Corefile was found in kube-system',
            why: 'names such as NODE.nodes.selvedge, by which metrics-server and Prometheus reach nodes through the tunnel, cannot be added to the cluster DNS',
            mend: 'add the zone of deploy/dns to your DNS by hand; convert with --no-dns',
          }),
        ],
  'dns-off-node': ({ cluster: { dns }, nodes }) => {
    const without = nodes.filter(({ node }) => !dns.nodes.includes(node.name)).map(({ node }) => node.name);
    if (without.length === 0) return [];
    return [
      told('info', {
        what: `no pod of the cluster DNS runs on ${without.join(', ')}`,
        why: 'while such a node is cut off its pods find no names, unless one runs at its site',
        mend: 'docs/tasks/hub.md, "CoreDNS on the node"',
      }),
    ];
  },
  'edge-system-present': ({ cluster: { otherSystems } }) =>
    otherSystems.map((system) =>
      told('error', {
        what: `the cluster has ${system}`,
        why: 'two systems would hold Leases, taints and Services of the same nodes',
        mend: 'take it away first: its own uninstaller gives the nodes back',
      }),
    ),
  'disruption-budget': ({ cluster: { budgets } }) =>
    budgets.length === 0
      ? []
      : [
          told('info', {
            what: `these PodDisruptionBudgets allow no eviction now: ${budgets.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')}`,
            why: 'convert evicts nothing; a drain, and the failover of a dead node, would wait for them',
            mend: '',
          }),
        ],
  'installation-incomplete': ({ cluster: { cloud } }) =>
    cloud.kind === 'none' || cloud.complete
      ? []
      : [
          told('warning', {
            what: 'an installation was begun and not ended',
            why: 'a run was interrupted, or failed',
            mend: 'selvedge convert goes on where it was, selvedge revert takes it back',
          }),
        ],
};
