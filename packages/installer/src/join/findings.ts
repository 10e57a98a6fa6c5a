import { architectures } from '../artifacts/index.ts';
import type { Finding, Severity } from '../check/index.ts';
import type { NodeFacts } from '../facts/index.ts';
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
/** The kubelet's API and the hub. */
const ports = [10_250, 10_270];
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
  const why = 'certificates and tokens that are valid there are not yet, or not any more, valid here';
  const mend = 'timedatectl set-ntp true, and wait until timedatectl says that it is synchronized';
  return Math.abs(off) > skew.maxMs ? error(what, why, mend) : warning(what, why, mend);
}

function diskOf({ facts }: Sight): Told | undefined {
  const disk = facts.disks.find(({ path }) => path === '/var/lib');
  if (disk === undefined || disk.availableBytes >= needed.comfortableBytes) return undefined;
  const what = `/var/lib has ${Math.floor(disk.availableBytes / 2 ** 20)} MiB left`;
  const why = 'images, containers and the state of the node are kept there';
  const mend = 'make room, or mount a larger disk there';
  return disk.availableBytes < needed.diskBytes ? error(what, why, mend) : warning(what, why, mend);
}

function otherAgentOf({ facts }: Sight): Told | undefined {
  const unit = otherAgents.find((name) => facts.units[name]?.activeState === 'active');
  if (unit !== undefined) {
    return error(
      `${unit} runs`,
      "it is a node already, and two agents end each other's pods",
      'selvedge convert makes an edge node of it; to make it a lite node, take it out of its cluster first',
    );
  }
  const [other] = facts.selvedge.otherAgents;
  if (other === undefined) return undefined;
  return error(
    `${other} is there`,
    'two agents of an edge fight for the same node',
    'remove it as its documentation says',
  );
}

function portOf({ facts }: Sight): Told | undefined {
  const taken = ports.filter((port) => facts.ports.some((one) => one.port === port));
  if (taken.length === 0) return undefined;
  const list = taken.join(' and ');
  return error(
    `somebody listens on port ${list}`,
    'the kubelet API is served on 10250, the hub on 10270',
    `end it: ss -ltnp 'sport = :${taken[0]}' says who it is`,
  );
}

function containersOf({ runtime }: Sight): Told | undefined {
  const count = runtime.containerd?.containers ?? 0;
  if (count === 0) return undefined;
  return error(
    `containerd has ${count} containers in the namespace k8s.io`,
    'they are of another agent, and a node ends pods that the cloud did not give it',
    'ctr --namespace k8s.io containers list shows them; remove what is left of an earlier node',
  );
}

function runtimeOf({ runtime, archives }: Sight, { network }: JoinOptions): Told | undefined {
  const { containerd, manager } = runtime;
  if (containerd !== undefined && !/^(1\.([6-9]|\d\d)|[2-9])\./.test(containerd.version)) {
    return error(`containerd is ${containerd.version}`, 'the CRI v1 came with 1.6', 'install a newer one');
  }
  const lacks = missingParts(runtime, network);
  if (lacks.length === 0 || manager !== undefined || archives > 0) return undefined;
  return error(
    `${lacks.join(' and ')} missing`,
    'pods are run by containerd and connected by CNI plugins, and neither apt-get nor dnf is there to install them',
    'install them as the distribution says, then run this again',
  );
}

function criOf({ runtime: { containerd } }: Sight): Told | undefined {
  if (containerd === undefined || containerd.config.servesCri) return undefined;
  if (containerd.file !== undefined && enableCri(containerd.file) !== undefined) return undefined;
  return error(
    'containerd does not serve the CRI, and its config.toml does not say why',
    'pods are run by the CRI',
    'take the CRI out of disabled_plugins in what config.toml imports: containerd config dump shows all of it',
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
      : error('programs are not run as root', 'units, mounts and networks are made', 'run it with sudo'),
  'join-systemd': ({ facts: { init } }) =>
    init === 'systemd'
      ? undefined
      : error(`process 1 is ${init}`, 'edge-lite is a unit of systemd', 'use a system with systemd'),
  'join-architecture': ({ facts: { arch } }) =>
    architectures[arch] !== undefined
      ? undefined
      : error(`the machine is ${arch}`, 'edge-lite is built for x86_64 and aarch64', 'use another machine'),
  'join-memory': ({ facts: { memoryBytes } }) =>
    memoryBytes >= needed.memoryBytes
      ? undefined
      : warning(
          'it has less than 256 MiB of memory',
          'edge-lite and containerd take about 120',
          'add memory',
        ),
  'join-other-agent': otherAgentOf,
  'join-left': ({ runtime: { full } }) =>
    full.length === 0
      ? undefined
      : error(
          `${full.join(' and ')} ${full.length === 1 ? 'is' : 'are'} not empty`,
          'an earlier installation left them, and there is no journal of it',
          'see whose they are, and move them away',
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
          'edge-lite joins there and keeps a connection to it',
          'let it through the firewall; see whether the name is known there and the route is right',
        ),
  'join-tunnel': (_sight, { tunnelServers = [] }) =>
    tunnelServers.length > 0
      ? undefined
      : warning(
          'it will have no tunnel',
          'logs, exec and metrics work only if the API server can dial the machine',
          'name cloud-manager with --tunnel-server HOST:PORT',
        ),
  'join-dns': ({ cluster }, { clusterDNS = [] }) =>
    clusterDNS.length > 0 || cluster.dns !== undefined
      ? undefined
      : warning(
          'the DNS of the cluster is not known',
          'pods will ask the resolver of the machine, which does not know Services',
          'give its address with --cluster-dns',
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
