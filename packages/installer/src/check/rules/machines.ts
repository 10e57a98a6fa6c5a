import { hubAddress } from '../../places.ts';
import type { SeenMachine } from '../facts.ts';
import { type Rules, eachMachine, eachNode } from '../rule.ts';

const hubPort = 10_270;
const kubeletPort = 10_250;
const mebibyte = 2 ** 20;
/** The program, its state (`modules.hub.maxStateMiB`) and room to replace both. */
const neededBytes = 512 * mebibyte;
const comfortableBytes = 1_024 * mebibyte;
const neededMemoryBytes = 512 * mebibyte;

const listens = ({ facts }: SeenMachine, port: number): boolean =>
  facts.ports.some((one) => one.port === port);
/** edge-lite is there already: then port and address are its own. */
const isOurs = ({ facts }: SeenMachine): boolean => facts.selvedge.version !== undefined;
const mebibytes = (bytes: number): string => `${Math.floor(bytes / mebibyte)} MiB`;

const features = [
  ['overlay', 'error', 'overlayfs', 'containerd keeps images with it', 'modprobe overlay'],
  [
    'nfTables',
    'warning',
    'nftables',
    'kube-proxy in its mode nftables, and lite nodes, send the traffic of Services with it',
    'modprobe nf_tables',
  ],
  [
    'brNetfilter',
    'warning',
    'br_netfilter',
    'traffic between pods of one bridge would pass Services by',
    'modprobe br_netfilter',
  ],
  [
    'ipForward',
    'warning',
    'forwarding of IPv4',
    'pods would reach nothing outside of the machine',
    'sysctl -w net.ipv4.ip_forward=1',
  ],
] as const;

export const machineRules: Rules = {
  'machine-closed': eachNode(({ machine }) =>
    machine.kind === 'closed'
      ? [
          {
            severity: 'error',
            what: `its machine cannot be entered: ${machine.why}`,
            why: 'convert installs edge-lite there as root',
            mend:
              machine.hint === '' ? 'see --ssh-user, --ssh-key, --bastion; or --transport job' : machine.hint,
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
            what: `how Kubernetes lies on it was not recognized; found: ${recognition.found.join(', ') || 'nothing'}`,
            why: `kubeadm, k3s, RKE2 and plain units of kubelet and kube-proxy are known; the system is ${facts.os.name}`,
            mend: 'docs/tasks/hub.md puts the clients of such a node on the hub by hand',
          },
        ],
  ),
  'layout-obstacle': eachMachine(({ recognition }) =>
    recognition.kind === 'unknown'
      ? []
      : recognition.layout.obstacles.map((obstacle) => ({
          severity: 'error' as const,
          what: `${recognition.layout.name}: ${obstacle}`,
          why: 'convert refuses a machine of which it cannot be sure to put it back',
          mend: 'docs/tasks/convert.md, "What a node must be"',
        })),
  ),
  'layout-found': eachMachine(({ recognition }) =>
    recognition.kind === 'unknown'
      ? []
      : [
          {
            severity: 'info',
            what: `${recognition.layout.name}${recognition.layout.converted ? ', converted' : ''}`,
            why: `its kubelet is run by ${recognition.layout.kubelet.unit}`,
            mend: '',
          },
        ],
  ),
  'half-converted': eachMachine(({ recognition, facts }, { node }) => {
    if (recognition.kind === 'unknown' || !recognition.layout.converted) return [];
    if (facts.units['edge-lite.service']?.activeState === 'active') return [];
    return [
      {
        severity: 'error',
        what: 'its kubelet talks to a hub that does not run',
        why: 'pods go on, and the kubelet hears of nothing new',
        mend: `systemctl start edge-lite on that machine; or selvedge revert --nodes ${node.name}`,
      },
    ];
  }),
  'other-agent': eachMachine(({ facts }) =>
    facts.selvedge.otherAgents.map((agent) => ({
      severity: 'error' as const,
      what: `another edge agent is there: ${agent}`,
      why: 'two would stand in for the API server, and hold the Lease of the same node',
      mend: `take ${agent} away with its own uninstaller first`,
    })),
  ),
  'no-systemd': eachMachine(({ facts }) =>
    facts.init === 'systemd'
      ? []
      : [
          {
            severity: 'error',
            what: `its first program is ${facts.init}`,
            why: 'edge-lite is installed as a unit of systemd',
            mend: 'choose other nodes with --nodes or --selector',
          },
        ],
  ),
  'no-runtime': eachMachine(({ facts }) =>
    facts.sockets.length > 0
      ? []
      : [
          {
            severity: 'error',
            what: 'no socket of a container runtime was found',
            why: 'whether convert restarts a container could not be seen',
            mend: 'systemctl status containerd on that machine',
          },
        ],
  ),
  'cgroup-v1': eachMachine(({ facts }) =>
    facts.cgroupVersion === 2
      ? []
      : [
          {
            severity: 'info',
            what: 'it has cgroups of version 1',
            why: 'kubelets from 1.35 start there only with failCgroupV1: false; the next reboot after an upgrade would be a surprise',
            mend: 'boot with systemd.unified_cgroup_hierarchy=1',
          },
        ],
  ),
  'disk-full': eachMachine(({ facts }) =>
    facts.disks
      .filter(({ availableBytes }) => availableBytes < comfortableBytes)
      .map(({ path, availableBytes }) => ({
        severity: availableBytes < neededBytes ? ('error' as const) : ('warning' as const),
        what: `${mebibytes(availableBytes)} are free where ${path} is`,
        why: `edge-lite and its state want ${mebibytes(neededBytes)}; what is full offline stays full`,
        mend: 'journalctl --vacuum-size=100M; crictl rmi --prune',
      })),
  ),
  'memory-small': eachMachine(({ facts }) =>
    facts.memoryBytes >= neededMemoryBytes
      ? []
      : [
          {
            severity: 'warning',
            what: `it has ${mebibytes(facts.memoryBytes)} of memory`,
            why: 'beside a kubelet edge-lite takes about 70 MB',
            mend: 'a lite node needs less: selvedge join instead of a kubelet',
          },
        ],
  ),
  'port-taken': eachMachine((machine) =>
    !listens(machine, hubPort) || isOurs(machine)
      ? []
      : [
          {
            severity: 'error',
            what: `port ${hubPort} is taken`,
            why: 'the hub listens there',
            mend: `ss -ltnp sport = :${hubPort} on that machine says by whom; convert with --hub-port`,
          },
        ],
  ),
  'kubelet-silent': eachMachine((machine, { kubeletPort: port }) =>
    machine.recognition.kind === 'unknown' || listens(machine, port || kubeletPort)
      ? []
      : [
          {
            severity: 'error',
            what: `nobody listens on port ${port || kubeletPort}`,
            why: 'kubectl logs and exec ask the kubelet there',
            mend: `systemctl status ${machine.recognition.layout.kubelet.unit} on that machine`,
          },
        ],
  ),
  'address-taken': eachMachine((machine) =>
    !machine.facts.addresses.includes(hubAddress) || isOurs(machine)
      ? []
      : [
          {
            severity: 'error',
            what: `it has the address ${hubAddress}`,
            why: 'pods reach the hub there',
            mend: `find the interface with ip address show to ${hubAddress}, and remove the address there; convert always uses this one`,
          },
        ],
  ),
  'kernel-feature-missing': eachMachine(({ facts }) =>
    features
      .filter(([feature]) => !facts.features[feature])
      .map(([, severity, name, why, mend]) => ({ severity, what: `there is no ${name}`, why, mend })),
  ),
  'not-reached': eachMachine(({ reached }) =>
    reached
      .filter(({ kind }) => kind === 'not reached')
      .map(({ target, what }) => ({
        severity: 'error' as const,
        what: `it does not reach the ${what} ${target}`,
        why:
          what === 'API server'
            ? 'its hub follows the cluster there'
            : 'the cloud reaches the node through it',
        mend: `open TCP to ${target} from that machine: docs/tasks/tunnel.md, "Firewall"`,
      })),
  ),
};
