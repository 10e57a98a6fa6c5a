import { egressConfigFile } from '../../cloud/index.ts';
import { type Rules, type Told, inCluster } from '../rule.ts';

const told = (severity: Told['severity'], rest: Omit<Told, 'severity' | 'where'>): Told => ({
  severity,
  where: inCluster,
  ...rest,
});

const egressFlag = 'egress-selector-config-file';

export const clusterRules: Rules = {
  'own-clock': ({ cluster: { ownAheadMs } }) => {
    if (Math.abs(ownAheadMs) < 30_000) return [];
    const seconds = Math.round(Math.abs(ownAheadMs) / 1_000);
    return [
      told('warning', {
        what: `the clock of this computer is ${seconds} s ${ownAheadMs > 0 ? 'ahead of' : 'behind'} the API server's`,
        why: 'certificates and tokens created here get wrong validity times',
        fix: 'run timedatectl set-ntp true on this computer or on the control plane, whichever is wrong',
      }),
    ];
  },
  'control-plane-hosted': ({ cluster: { apiServers } }) =>
    apiServers === undefined || apiServers.length > 0
      ? []
      : [
          told('info', {
            what: 'no kube-apiserver pods found: the control plane is hosted, or does not run as pods',
            why: 'its flags cannot be checked, and it cannot be configured to use the tunnel: kubectl logs, exec and port-forward do not reach converted nodes behind NAT. metrics-server and Prometheus do, through the passthrough on port 10250',
            fix: 'if the provider of the control plane accepts an EgressSelector: docs/operations/cloud-manager.md, "Let the API server reach the edge"',
          }),
        ],
  'egress-present': ({ cluster: { apiServers = [] } }) =>
    apiServers
      .filter(({ flags }) => flags[egressFlag] !== undefined && flags[egressFlag] !== egressConfigFile)
      .map(({ node, flags }) =>
        told('warning', {
          what: `the API server on ${node} already has an EgressSelector: ${flags[egressFlag]}`,
          why: 'an API server can have only one; the tunnel would replace konnectivity, or whatever it points to',
          fix: 'find out what it is for and remove it first, or use --manager deployment, which leaves API servers alone',
        }),
      ),
  'egress-gone': ({ cluster: { cloud } }) =>
    cloud.kind !== 'installed'
      ? []
      : cloud.unwired.map((node) =>
          told('warning', {
            what: cloud.machines.includes(node)
              ? `the API server on ${node} does not go through cloud-manager any more: its manifest was rewritten since convert, for example by kubeadm upgrade`
              : `the API server on ${node} does not go through cloud-manager: it joined the control plane after convert`,
            why: 'kubectl logs, exec and port-forward through that API server do not reach converted nodes behind NAT; one that joined also refuses new nodes, since no webhook answers it',
            fix: 'run the same selvedge convert again, which edits its manifest',
          }),
        ),
  'kube-proxy-missing': ({ cluster: { kubeProxyMode }, nodes }) =>
    kubeProxyMode !== undefined || nodes.some(({ machine }) => machine.kind === 'seen')
      ? []
      : [
          told('info', {
            what: 'there is no DaemonSet kube-system/kube-proxy',
            why: 'kube-proxy as part of k3s or RKE2 is only visible on the machine. A replacement such as Cilium reads Services from the API server, so traffic is not kept inside a unit',
            fix: 'use --transport ssh to inspect the machines',
          }),
        ],
  'kube-proxy-mode': ({ cluster: { kubeProxyMode } }) =>
    kubeProxyMode !== 'ipvs'
      ? []
      : [
          told('warning', {
            what: 'kube-proxy runs in ipvs mode',
            why: 'Kubernetes deprecated that mode, and Selvedge is tested with iptables and nftables',
            fix: 'set mode: nftables with kubectl -n kube-system edit configmap kube-proxy, then kubectl -n kube-system rollout restart daemonset kube-proxy',
          }),
        ],
  'dns-zone-impossible': ({ cluster: { dns } }) =>
    dns.coreDns !== false
      ? []
      : [
          told('warning', {
            what: 'no Corefile found in kube-system',
            why: 'the names NODE.nodes.selvedge, which metrics-server and Prometheus use to reach nodes through the tunnel, cannot be added to the cluster DNS',
            fix: 'add the zone in deploy/dns to your DNS yourself, and convert with --no-dns',
          }),
        ],
  'dns-off-node': ({ cluster: { dns }, nodes }) => {
    const names = nodes.map(({ node }) => node.name);
    const without = dns.nodes === undefined ? [] : names.filter((name) => !dns.nodes?.includes(name));
    if (without.length === 0) return [];
    return [
      told('info', {
        what: `no cluster DNS pod runs on ${without.join(', ')}`,
        why: 'while such a node is offline its pods cannot resolve names, unless a DNS pod runs elsewhere on its site',
        fix: 'docs/tasks/hub.md, "CoreDNS on the node"',
      }),
    ];
  },
  'edge-system-present': ({ cluster: { otherSystems } }) =>
    otherSystems.map((system) =>
      told('error', {
        what: `${system} is installed in this cluster`,
        why: 'both would manage the Leases, taints and Services of the same nodes',
        fix: 'remove it first with its own uninstaller, which restores the nodes',
      }),
    ),
  'disruption-budget': ({ cluster: { budgets } }) =>
    budgets.length === 0
      ? []
      : [
          told('info', {
            what: `PodDisruptionBudgets that currently allow no eviction: ${budgets.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')}`,
            why: 'convert evicts nothing, but draining a node, or failing over from a dead one, would block on them',
            fix: '',
          }),
        ],
  // For want of a right it is told with that.
  'tunnel-signer-unknown': ({ cluster: { cloud } }) =>
    cloud.kind === 'none' || cloud.tunnel.kind === 'known' || cloud.tunnel.missing !== undefined
      ? []
      : [
          told('warning', {
            what: `nobody knows who signed the certificate of the tunnel: ${cloud.tunnel.why}`,
            why: 'machines that join do not trust the tunnel servers, and token create refuses',
            fix: cloud.tunnel.hint,
          }),
        ],
  'tunnel-caught': ({ cluster: { caughtAddresses } }) =>
    caughtAddresses.length === 0
      ? []
      : [
          told('warning', {
            what: `kube-proxy on each node catches ${caughtAddresses.join(', ')}, the balancer of the Service selvedge-system/cloud-manager-tunnel`,
            why: 'its ipMode is VIP, so that connections from a node go to pods in the cloud and not to the balancer; a site that does not reach those has no tunnel',
            fix: 'have the provider of the balancer set ipMode: Proxy or a host name, or put an address of your own in front: docs/tasks/tunnel.md, "It does not connect"',
          }),
        ],
  'installation-incomplete': ({ cluster: { cloud } }) =>
    cloud.kind !== 'installed' || cloud.complete
      ? []
      : [
          told('warning', {
            what: 'an earlier installation did not finish',
            why: 'that run was interrupted or failed',
            fix: 'resume with selvedge convert, or undo with selvedge revert',
          }),
        ],
};
