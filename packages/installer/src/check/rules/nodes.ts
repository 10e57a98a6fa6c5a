import { defaultPorts } from '../../places.ts';
import { thresholds } from '../../thresholds.ts';
import { type Rules, eachNode, inCluster } from '../rule.ts';

const { kubelet: kubeletPort } = defaultPorts;
const { clock } = thresholds.converted;
/** Of a Lease; a node that is Ready renews it before. */
const leaseMs = 40_000;

const maxBareShown = 5;

/** Addresses that several nodes have, as shops reuse them. */
function sharedAddresses(
  nodes: readonly { readonly node: { readonly name: string; readonly addresses: readonly string[] } }[],
): readonly string[] {
  const holders = new Map<string, string[]>();
  for (const { node } of nodes)
    for (const address of new Set(node.addresses))
      holders.set(address, [...(holders.get(address) ?? []), node.name]);
  return [...holders]
    .filter(([, names]) => names.length > 1)
    .map(([address, names]) => `${address} (${names.join(', ')})`);
}

export const nodeRules: Rules = {
  'no-nodes': ({ nodes, cluster: { unread } }) =>
    nodes.length > 0 || unread.some(({ right }) => right.resource === 'nodes')
      ? []
      : [
          {
            severity: 'warning',
            where: inCluster,
            what: 'no nodes to check',
            why: 'the cluster has only control-plane nodes, or the selector matches none',
            fix: 'choose with --nodes or --selector; kubectl get nodes --show-labels lists them',
          },
        ],
  'node-not-ready': eachNode(({ node }) =>
    node.isReady
      ? []
      : [
          {
            severity: 'error',
            what: 'the Node is not Ready',
            why: 'convert verifies that a node becomes Ready through its hub, which says nothing about one that was not Ready before',
            fix: `run kubectl describe node ${node.name}`,
          },
        ],
  ),
  'node-os': eachNode(({ node }) =>
    node.os === 'linux'
      ? []
      : [
          {
            severity: 'error',
            what: `its operating system is ${node.os}`,
            why: 'only Linux nodes can be converted',
            fix: 'choose other nodes with --nodes or --selector',
          },
        ],
  ),
  'node-is-lite': eachNode(({ node }) =>
    node.isLite
      ? [
          {
            severity: 'info',
            what: 'it is a lite node',
            why: 'edge-lite runs its pods, so there is nothing to convert',
            fix: '',
          },
        ]
      : [],
  ),
  'node-clock': eachNode(({ node, leaseRenewedMs, machine }, { cluster }) => {
    const { ownAheadMs, nowMs } = cluster;
    const byLease = leaseRenewedMs === 0 || !node.isReady ? 0 : leaseRenewedMs - nowMs;
    const behind = byLease < -leaseMs ? byLease : 0;
    const ahead = machine.kind === 'seen' ? machine.aheadMs + ownAheadMs : Math.max(byLease, 0) + behind;
    if (Math.abs(ahead) < clock.noticedMs) return [];
    return [
      {
        severity: Math.abs(ahead) < clock.tooMuchMs ? 'warning' : 'error',
        what: `its clock is ${Math.round(Math.abs(ahead) / 1_000)} s ${ahead > 0 ? 'ahead of' : 'behind'} the API server's`,
        why: 'it decides whether certificates are valid, and how long the node may run offline',
        fix: 'run timedatectl set-ntp true on that machine',
      },
    ];
  }),
  'kubelet-port': eachNode((node) =>
    node.kubeletPort === kubeletPort || node.node.isLite
      ? []
      : [
          {
            severity: 'warning',
            what: `its kubelet listens on port ${node.kubeletPort}`,
            why: `the tunnel lets the cloud reach port ${kubeletPort} of a converted node: kubectl logs and exec would not work, and convert would put the node back`,
            fix: `set port: ${kubeletPort} in the kubelet's configuration and restart it, or leave this node out`,
          },
        ],
  ),
  'address-shared': ({ nodes, cluster }) => {
    const shared = sharedAddresses(nodes);
    if (shared.length === 0) return [];
    const byAddress = cluster.apiServers?.some(
      ({ flags }) => !(flags['kubelet-preferred-address-types'] ?? '').startsWith('Hostname'),
    );
    return [
      {
        severity: byAddress ? 'warning' : 'info',
        where: inCluster,
        what: `nodes share addresses: ${shared.join('; ')}`,
        why: 'an address that several nodes share cannot be routed through the tunnel; nodes are reached by name instead',
        fix: byAddress
          ? 'set --kubelet-preferred-address-types=Hostname,InternalIP on the API server; convert does so where it edits its manifest'
          : '',
      },
    ];
  },
  'bare-pods': eachNode(({ barePods }) =>
    barePods.length === 0
      ? []
      : [
          {
            severity: 'info',
            what: `pods without a controller: ${barePods.slice(0, maxBareShown).join(', ')}${barePods.length > maxBareShown ? ` and ${barePods.length - maxBareShown} more` : ''}`,
            why: 'convert leaves them running, but nothing recreates them if they are evicted when the autonomy period of the node ends',
            fix: 'run them from a Deployment, StatefulSet or DaemonSet',
          },
        ],
  ),
};
