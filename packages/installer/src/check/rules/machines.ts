import { defaultPorts, hubAddress, places } from '../../places.ts';
import { thresholds } from '../../thresholds.ts';
import type { SeenMachine } from '../facts.ts';
import { type Rules, eachMachine, eachNode } from '../rule.ts';

const { hub: hubPort, kubelet: kubeletPort } = defaultPorts;
const mebibyte = 2 ** 20;
const { disk, memoryBytes: neededMemoryBytes } = thresholds.converted;

const listens = ({ facts }: SeenMachine, port: number): boolean =>
  facts.ports.some((one) => one.port === port);
/** edge-lite is there already: then port and address are its own. */
const isOurs = ({ facts }: SeenMachine): boolean => facts.selvedge.version !== undefined;
const mebibytes = (bytes: number): string => `${Math.floor(bytes / mebibyte)} MiB`;

const features = [
  ['overlay', 'error', 'overlayfs', 'containerd stores images with it', 'modprobe overlay'],
  [
    'nfTables',
    'warning',
    'nftables',
    'kube-proxy in nftables mode and lite nodes route Service traffic with it',
    'modprobe nf_tables',
  ],
  [
    'brNetfilter',
    'warning',
    'br_netfilter',
    'traffic between pods on the same bridge would bypass Services',
    'modprobe br_netfilter',
  ],
  [
    'ipForward',
    'warning',
    'IPv4 forwarding',
    'pods could not reach anything outside the machine',
    'sysctl -w net.ipv4.ip_forward=1',
  ],
] as const;

export const machineRules: Rules = {
  'machine-closed': eachNode(({ machine }) =>
    machine.kind === 'closed'
      ? [
          {
            severity: 'error',
            what: `cannot reach or log in to its machine: ${machine.why}`,
            why: 'convert needs root there to install edge-lite',
            fix:
              machine.hint === ''
                ? 'check --ssh-user, --ssh-key and --bastion, or use --transport job'
                : machine.hint,
          },
        ]
      : [],
  ),
  'layout-unknown': eachMachine(({ recognition, facts }) =>
    recognition.kind === 'known'
      ? []
      : [
          {
            severity: 'error',
            what: `unrecognized Kubernetes layout; found: ${recognition.found.join(', ') || 'nothing'}`,
            why: `supported are kubeadm, k3s, RKE2, and kubelet and kube-proxy as plain systemd units; this machine runs ${facts.os.name}`,
            fix: 'to point the clients of such a node at the hub by hand: docs/tasks/hub.md',
          },
        ],
  ),
  'layout-obstacle': eachMachine(({ recognition }) =>
    recognition.kind === 'unknown'
      ? []
      : recognition.layout.obstacles.map((obstacle) => ({
          severity: 'error' as const,
          what: `${recognition.layout.name}: ${obstacle}`,
          why: 'convert refuses a machine that it might not be able to restore',
          fix: 'docs/tasks/convert.md, "What a node must be"',
        })),
  ),
  'layout-found': eachMachine(({ recognition }) =>
    recognition.kind === 'unknown'
      ? []
      : [
          {
            severity: 'info',
            what: `${recognition.layout.name}${recognition.layout.converted ? ', converted' : ''}`,
            why: `its kubelet is started by ${recognition.layout.kubelet.unit}`,
            fix: '',
          },
        ],
  ),
  'half-converted': eachMachine(({ recognition, facts }, { node }) => {
    if (recognition.kind === 'unknown' || !recognition.layout.converted) return [];
    if (facts.units[places.unit]?.activeState === 'active') return [];
    return [
      {
        severity: 'error',
        what: 'its kubelet points to a hub that is not running',
        why: 'running pods are unaffected, but the kubelet gets no updates',
        fix: `run systemctl start edge-lite on that machine, or selvedge revert --nodes ${node.name}`,
      },
    ];
  }),
  'other-agent': eachMachine(({ facts }) =>
    facts.selvedge.otherAgents.map((agent) => ({
      severity: 'error' as const,
      what: `another edge agent is installed: ${agent}`,
      why: 'both would stand in for the API server and renew the Lease of the same node',
      fix: `remove ${agent} first with its own uninstaller`,
    })),
  ),
  'no-systemd': eachMachine(({ facts }) =>
    facts.init === 'systemd'
      ? []
      : [
          {
            severity: 'error',
            what: `PID 1 is ${facts.init}, not systemd`,
            why: 'edge-lite is installed as a systemd unit',
            fix: 'choose other nodes with --nodes or --selector',
          },
        ],
  ),
  'no-runtime': eachMachine(({ facts }) =>
    facts.sockets.length > 0
      ? []
      : [
          {
            severity: 'error',
            what: 'no container runtime socket found',
            why: 'convert could not verify that no container restarts',
            fix: 'run systemctl status containerd on that machine',
          },
        ],
  ),
  'cgroup-v1': eachMachine(({ facts }) =>
    facts.cgroupVersion === 2
      ? []
      : [
          {
            severity: 'info',
            what: 'it uses cgroup v1',
            why: 'a kubelet from 1.35 on starts there only with failCgroupV1: false, so it may not come back after an upgrade',
            fix: 'boot with the kernel parameter systemd.unified_cgroup_hierarchy=1',
          },
        ],
  ),
  'disk-full': eachMachine(({ facts }) =>
    facts.disks
      .filter(({ availableBytes }) => availableBytes < disk.comfortableBytes)
      .map(({ path, availableBytes }) => ({
        severity: availableBytes < disk.neededBytes ? ('error' as const) : ('warning' as const),
        what: `only ${mebibytes(availableBytes)} free on the file system of ${path}`,
        why: `edge-lite and its state need ${mebibytes(disk.neededBytes)}; a disk that fills up offline stays full`,
        fix: 'free space, for example with journalctl --vacuum-size=100M and crictl rmi --prune',
      })),
  ),
  'memory-small': eachMachine(({ facts }) =>
    facts.memoryBytes >= neededMemoryBytes
      ? []
      : [
          {
            severity: 'warning',
            what: `it has only ${mebibytes(facts.memoryBytes)} of memory`,
            why: 'edge-lite takes about 70 MB in addition to the kubelet',
            fix: 'a lite node, which has no kubelet, needs less: selvedge join',
          },
        ],
  ),
  'port-taken': eachMachine((machine) =>
    !listens(machine, hubPort) || isOurs(machine)
      ? []
      : [
          {
            severity: 'error',
            what: `port ${hubPort} is in use`,
            why: 'the hub listens there',
            fix: `find the process with ss -ltnp 'sport = :${hubPort}' on that machine, or convert with --hub-port`,
          },
        ],
  ),
  'kubelet-silent': eachMachine((machine, { kubeletPort: port }) =>
    machine.recognition.kind === 'unknown' || listens(machine, port || kubeletPort)
      ? []
      : [
          {
            severity: 'error',
            what: `nothing listens on port ${port || kubeletPort}`,
            why: 'kubectl logs and exec connect to the kubelet there',
            fix: `run systemctl status ${machine.recognition.layout.kubelet.unit} on that machine`,
          },
        ],
  ),
  'address-taken': eachMachine((machine) =>
    !machine.facts.addresses.includes(hubAddress) || isOurs(machine)
      ? []
      : [
          {
            severity: 'error',
            what: `the address ${hubAddress} is already assigned`,
            why: 'pods reach the hub at this address',
            fix: `find the interface with ip address show to ${hubAddress}, and remove the address there; convert always uses this one`,
          },
        ],
  ),
  'kernel-feature-missing': eachMachine(({ facts }) =>
    features
      .filter(([feature]) => !facts.features[feature])
      .map(([, severity, name, why, fix]) => ({ severity, what: `${name} is not available`, why, fix })),
  ),
};
