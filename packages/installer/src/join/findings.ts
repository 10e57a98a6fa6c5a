import { architectures } from '../artifacts/index.ts';
import type { Finding, Severity } from '../check/index.ts';
import type { NodeFacts } from '../facts/index.ts';
import { defaultPorts } from '../places.ts';
import { enableCri } from './containerd-config.ts';
import type { ClusterSight } from './examine-cluster.ts';
import type { RuntimeFacts } from './runtime-facts.ts';
import type { JoinOptions } from './types.ts';

/** All that is known before the first change. */
export interface Sight {
  readonly facts: NodeFacts;
  readonly runtime: RuntimeFacts;
  readonly cluster: ClusterSight;
  /** What the machine's clock is ahead of the one here, in milliseconds. */
  readonly aheadMs: number;
  /** How many files of packages the release has for it. */
  readonly archives: number;
}

interface Told {
  readonly severity: Severity;
  readonly what: string;
  readonly why: string;
  readonly mend: string;
}

type Rule = (sight: Sight, options: JoinOptions) => Told | undefined;

const error = (what: string, why: string, mend: string): Told => ({ severity: 'error', what, why, mend });
const warning = (what: string, why: string, mend: string): Told => ({ severity: 'warning', what, why, mend });

const gib = 2 ** 30;
const needed = { diskBytes: gib / 2, comfortableBytes: 4 * gib, memoryBytes: gib / 4 } as const;
/** A controller-manager lets certificates begin five minutes ago. */
const skew = { maxMs: 240_000, noticedMs: 15_000 } as const;
const ports = [defaultPorts.kubelet, defaultPorts.hub];
/** Programs that run the pods of a node. */
const otherAgents = [
  'kubelet.service',
  'k3s.service',
  'k3s-agent.service',
  'rke2-server.service',
  'rke2-agent.service',
];
const neededPlugins = ['bridge', 'host-local', 'loopback', 'portmap'] as const;

const seconds = (ms: number): string => `${Math.round(Math.abs(ms) / 1_000)} s`;

function clockOf({ cluster, aheadMs }: Sight): Told | undefined {
  if (cluster.aheadMs === undefined) return undefined;
  const off = aheadMs - cluster.aheadMs;
  if (Math.abs(off) < skew.noticedMs) return undefined;
  const what = `its clock is ${seconds(off)} ${off > 0 ? 'ahead of' : 'behind'} that of the API server`;
  const why = 'certificates and tokens that are valid there are not valid here yet, or no longer';
  const mend =
    'run timedatectl set-ntp true, and wait until timedatectl reports that the clock is synchronized';
  return Math.abs(off) > skew.maxMs ? error(what, why, mend) : warning(what, why, mend);
}

function diskOf({ facts }: Sight): Told | undefined {
  const disk = facts.disks.find(({ path }) => path === '/var/lib');
  if (disk === undefined || disk.availableBytes >= needed.comfortableBytes) return undefined;
  const what = `only ${Math.floor(disk.availableBytes / 2 ** 20)} MiB free in /var/lib`;
  const why = 'images, containers and node state are stored there';
  const mend = 'free some space, or mount a larger disk there';
  return disk.availableBytes < needed.diskBytes ? error(what, why, mend) : warning(what, why, mend);
}

function otherAgentOf({ facts }: Sight): Told | undefined {
  const unit = otherAgents.find((name) => facts.units[name]?.activeState === 'active');
  if (unit !== undefined) {
    return error(
      `${unit} is running`,
      "this is already a node, and two agents would kill each other's pods",
      'use selvedge convert to make it an edge node; to make it a lite node, remove it from its cluster first',
    );
  }
  const [other] = facts.selvedge.otherAgents;
  if (other === undefined) return undefined;
  return error(
    `${other} is installed`,
    'two edge agents would fight over the same node',
    'remove it as described in its documentation',
  );
}

function portOf({ facts }: Sight): Told | undefined {
  const taken = ports.filter((port) => facts.ports.some((one) => one.port === port));
  if (taken.length === 0) return undefined;
  const list = taken.join(' and ');
  return error(
    `port ${list} is in use`,
    'edge-lite serves the kubelet API on 10250 and the hub on 10270',
    `find the process with ss -ltnp 'sport = :${taken[0]}' and stop it`,
  );
}

function containersOf({ runtime }: Sight): Told | undefined {
  const count = runtime.containerd?.containers ?? 0;
  if (count === 0) return undefined;
  return error(
    `containerd has ${count} containers in the namespace k8s.io`,
    'they belong to another agent, and a node kills pods that are not assigned to it',
    'list them with ctr --namespace k8s.io containers list, and remove what an earlier node left behind',
  );
}

function runtimeOf({ runtime, archives }: Sight, { network }: JoinOptions): Told | undefined {
  const { containerd, manager } = runtime;
  if (containerd !== undefined && !/^(1\.([6-9]|\d\d)|[2-9])\./.test(containerd.version)) {
    return error(
      `containerd is ${containerd.version}`,
      'CRI v1 needs containerd 1.6',
      'install a newer version',
    );
  }
  const lacks = missingParts(runtime, network);
  if (lacks.length === 0 || manager !== undefined || archives > 0) return undefined;
  return error(
    `${lacks.join(' and ')} missing`,
    'pods need containerd and CNI plugins, and there is neither apt-get nor dnf to install them',
    'install them with the tools of the distribution, then run the same command again',
  );
}

function criOf({ runtime: { containerd } }: Sight): Told | undefined {
  if (containerd === undefined || containerd.config.servesCri) return undefined;
  if (containerd.file !== undefined && enableCri(containerd.file) !== undefined) return undefined;
  return error(
    'the CRI plugin of containerd is disabled, but not in config.toml itself',
    'edge-lite runs pods through the CRI',
    'remove it from disabled_plugins in a file that config.toml imports; containerd config dump shows the merged configuration',
  );
}

/** What has to be installed, for people. */
export function missingParts(runtime: RuntimeFacts, network: JoinOptions['network']): readonly string[] {
  const plugins = network === 'none' ? ['loopback'] : neededPlugins;
  const bridges = network !== 'none' && runtime.networks.length === 0;
  return [
    ...(runtime.containerd === undefined ? ['containerd'] : []),
    ...(plugins.some((name) => !runtime.plugins.includes(name)) ? ['CNI plugins'] : []),
    ...(bridges && !runtime.iptables ? ['iptables'] : []),
  ];
}

/** `host:port` of a URL, the port always. */
const hostPort = (server: string): string => {
  const { hostname, port } = new URL(server);
  return `${hostname}:${port === '' ? '443' : port}`;
};

const rules: Readonly<Record<string, Rule>> = {
  'join-root': ({ runtime: { uid } }) =>
    uid === 0
      ? undefined
      : error('not running as root', 'join creates systemd units, mounts and networks', 'run it with sudo'),
  'join-systemd': ({ facts: { init } }) =>
    init === 'systemd'
      ? undefined
      : error(`PID 1 is ${init}`, 'edge-lite runs as a systemd unit', 'use a system with systemd'),
  'join-architecture': ({ facts: { arch } }) =>
    architectures[arch] !== undefined
      ? undefined
      : error(
          `unsupported architecture ${arch}`,
          'edge-lite is built for x86_64 and aarch64',
          'use another machine',
        ),
  'join-memory': ({ facts: { memoryBytes } }) =>
    memoryBytes >= needed.memoryBytes
      ? undefined
      : warning(
          'it has less than 256 MiB of memory',
          'edge-lite and containerd take about 120 MiB',
          'add memory',
        ),
  'join-other-agent': otherAgentOf,
  'join-left': ({ runtime: { full } }) =>
    full.length === 0
      ? undefined
      : error(
          `${full.join(' and ')} ${full.length === 1 ? 'is' : 'are'} not empty`,
          'an earlier installation left files there, and there is no journal of it',
          'find out what they belong to, and move them away',
        ),
  'join-containers': containersOf,
  'join-ports': portOf,
  'join-disk': diskOf,
  'join-clock': clockOf,
  'join-runtime': runtimeOf,
  'join-cri': criOf,
  'join-reach': ({ runtime: { reaches } }, { server }) =>
    reaches
      ? undefined
      : error(
          `it cannot connect to ${hostPort(server)}`,
          'edge-lite needs a connection to the API server',
          'allow it in the firewall; check DNS and routing on this machine',
        ),
  'join-tunnel': (_sight, { tunnelServers = [] }) =>
    tunnelServers.length > 0
      ? undefined
      : warning(
          'no tunnel configured',
          'logs, exec and metrics only work if the API server can connect to the machine',
          'use --tunnel-server HOST:PORT with the address of cloud-manager',
        ),
  'join-dns': ({ cluster }, { clusterDNS = [] }) =>
    clusterDNS.length > 0 || cluster.dns !== undefined
      ? undefined
      : warning(
          'the address of the cluster DNS is not known',
          'pods will use the resolver of the machine, which cannot resolve Services',
          'set it with --cluster-dns',
        ),
};

/** What is wrong with a machine that is to join, or might be; the errors first. Pure. */
export function joinFindings(sight: Sight, options: JoinOptions): readonly Finding[] {
  const where = `node ${options.nodeName ?? sight.facts.hostname.toLowerCase()}`;
  const found = Object.entries(rules).flatMap(([id, rule]) => {
    const told = rule(sight, options);
    return told === undefined ? [] : [{ id, where, ...told }];
  });
  return [
    ...found.filter(({ severity }) => severity === 'error'),
    ...found.filter(({ severity }) => severity !== 'error'),
  ];
}
