import { formatHostPort } from '@selvedge/kit/net';
import { hash } from 'node:crypto';
import type { CloudTunnel } from '../cloud/index.ts';
import type { Step } from '../steps/index.ts';
import { hubAddress, places, podNamespace } from '../places.ts';
import { tunnelFiles } from '../tunnel/index.ts';
import { edgeLiteUnit } from '../systemd-units/index.ts';
import { type RuntimeConfig, enableCri } from './containerd-config.ts';
import { type LiteConfig, renderLiteConfig } from './edge-lite-config.ts';
import type { ClusterSight } from './examine-cluster.ts';
import { missingParts } from './rules/runtime.ts';
import { sourceNames, tokenFile } from './names.ts';
import type { RuntimeFacts } from './runtime-facts.ts';
import { type JoinOptions, joinDefaults } from './types.ts';

const bridge = 'selvedge0';
/** Whatever a DaemonSet brings comes before it: the runtime takes the first by name. */
const networkFileName = '99-selvedge.conflist';
const containerdFile = '/etc/containerd/config.toml';

export interface PlanInput {
  readonly nodeName: string;
  readonly runtime: RuntimeFacts;
  readonly cluster: ClusterSight;
  readonly program: { readonly sha256: string };
  /** Files of packages that the release has for this system. */
  readonly archives: readonly string[];
}

/** What packages bring, by distribution: how containerd is told there, and where it looks for plugins. */
const distributions = {
  apt: { plugins: 'containernetworking-plugins', iptables: 'iptables' },
  dnf: { plugins: 'containernetworking-plugins', iptables: 'iptables-nft' },
} as const;

/** Of containerd as a distribution's package configures it. */
const packaged: Pick<RuntimeConfig, 'socket' | 'cgroupDriver' | 'networkFolder'> = {
  socket: '/run/containerd/containerd.sock',
  cgroupDriver: 'cgroupfs',
  networkFolder: '/etc/cni/net.d',
};

function packageSteps({ runtime, archives }: PlanInput, options: JoinOptions): readonly Step[] {
  const missing = missingParts(runtime, options.network);
  const { manager } = runtime;
  if (missing.length === 0 || manager === undefined) return [];
  const { plugins, iptables } = distributions[manager];
  const { containerdPackage = joinDefaults.containerdPackage } = options;
  const packages: Readonly<Record<string, string>> = {
    containerd: containerdPackage,
    'CNI plugins': plugins,
    iptables,
  };
  const names = missing.flatMap((part) => packages[part] ?? []);
  return [{ kind: 'packages', manager, names, archives }];
}

/** Where packages of others put files too: containerd.io of Docker, kubernetes-cni, podman. */
const shared: readonly string[] = [
  '/opt/cni',
  '/opt/containerd',
  '/etc/containerd',
  '/etc/cni',
  '/etc/cni/net.d',
];

/** A folder that is not there yet goes with all that comes into it. */
const treesOf = (there: readonly string[], ...paths: readonly string[]): readonly Step[] =>
  paths
    .filter((path) => !there.includes(path))
    .map((path) => ({ kind: 'tree', path, mode: 0o755, ...(shared.includes(path) ? { shared: true } : {}) }));

function containerdSteps({ runtime: { containerd } }: PlanInput): readonly Step[] {
  const name = 'containerd.service';
  if (containerd === undefined) return [{ kind: 'unit', name }];
  const { file = '', config, runs } = containerd;
  const change = config.servesCri ? undefined : enableCri(file);
  const sha256 = hash('sha256', file);
  const edit: readonly Step[] =
    change === undefined
      ? []
      : [{ kind: 'edit', path: containerdFile, sha256, changes: [change], marks: [] }];
  if (!runs) return [...edit, { kind: 'unit', name }];
  if (edit.length === 0) return [];
  return [{ kind: 'restart', name, on: 'undo' }, ...edit, { kind: 'restart', name, on: 'apply' }];
}

const networkIsOurs = ({ networks }: RuntimeFacts, { network }: JoinOptions): boolean =>
  network === 'bridge' || (network === undefined && networks.length === 0);

/** The CNI configuration that edge-lite writes. */
function networkOf({ runtime }: PlanInput, options: JoinOptions): LiteConfig['network'] {
  if (!networkIsOurs(runtime, options)) return undefined;
  const { networkFolder } = runtime.containerd?.config ?? packaged;
  return { file: `${networkFolder}/${networkFileName}`, bridge };
}

function networkSteps(file: string | undefined): readonly Step[] {
  if (file === undefined) return [];
  return [
    { kind: 'leftover', what: 'file', name: file },
    { kind: 'sysctl', name: 'net/ipv4/ip_forward', value: '1' },
    { kind: 'leftover', what: 'link', name: bridge },
  ];
}

/** Folders that are not there yet. They come first: packages put files into them, and on the way back go before them. */
function folderSteps({ runtime }: PlanInput, options: JoinOptions): readonly Step[] {
  const { folders, containerd } = runtime;
  const isMissing = missingParts(runtime, options.network).length > 0;
  const packages = isMissing ? ['/opt/cni'] : [];
  const ofContainerd =
    containerd === undefined ? ['/var/lib/containerd', '/etc/containerd', '/opt/containerd'] : [];
  const network = networkIsOurs(runtime, options) || isMissing ? ['/etc/cni', '/etc/cni/net.d'] : [];
  const pods = ['/var/lib/cni', '/var/log/pods', '/var/log/containers'];
  return [
    ...treesOf(folders, ...packages, ...ofContainerd, ...network, ...pods),
    { kind: 'tree', path: '/etc/selvedge', mode: 0o700 },
    { kind: 'tree', path: places.state, mode: 0o700 },
    { kind: 'tree', path: places.pki, mode: 0o700 },
  ];
}

const tunnelOf = ({ cluster }: PlanInput, { tunnelServers = [] }: JoinOptions): CloudTunnel => ({
  servers: tunnelServers.map(formatHostPort),
  ca: cluster.tunnelCa,
});

/** The text of edge-lite's config; see `LiteConfig`. */
export function configOf(input: PlanInput, options: JoinOptions): string {
  const { nodeName, runtime, cluster } = input;
  const { socket, cgroupDriver } = runtime.containerd?.config ?? packaged;
  const { server, caHash, labels = {} } = options;
  return renderLiteConfig({
    nodeName,
    server,
    caHash,
    tokenFile: tokenFile,
    socket,
    cgroupDriver,
    labels,
    clusterDNS: options.clusterDNS ?? cluster.dns?.servers ?? [],
    clusterDomain: options.clusterDomain ?? cluster.dns?.domain,
    network: networkOf(input, options),
    tunnel: tunnelOf(input, options),
  });
}

/** Folders in which files come and go: the times of their last change are put back at the end. */
const changedFolders = [
  '/etc',
  '/etc/cni',
  '/etc/cni/net.d',
  '/etc/containerd',
  '/etc/systemd/system',
  '/etc/systemd/system/multi-user.target.wants',
  '/usr/local/bin',
  '/var/lib',
  '/var/lib/cni',
  '/var/log',
  '/opt',
];

/**
 * The steps that make a lite node of a bare machine. What pods will leave stands before the unit, so that on the way back it is
 * taken away after edge-lite has ended. Pure.
 */
export function planJoin(input: PlanInput, options: JoinOptions): readonly Step[] {
  const { program } = input;
  return [
    { kind: 'times', paths: changedFolders },
    ...folderSteps(input, options),
    ...packageSteps(input, options),
    ...containerdSteps(input),
    { kind: 'images', namespace: podNamespace },
    { kind: 'rules' },
    ...networkSteps(networkOf(input, options)?.file),
    { kind: 'leftover', what: 'address', name: hubAddress },
    {
      kind: 'upload',
      path: places.executable,
      mode: 0o755,
      source: sourceNames.program,
      sha256: program.sha256,
    },
    ...tunnelFiles(tunnelOf(input, options)),
    { kind: 'file', path: places.config, mode: 0o600, content: configOf(input, options) },
    { kind: 'secret', path: tokenFile, source: sourceNames.token },
    { kind: 'pods', program: places.executable, config: places.config },
    { kind: 'reload' },
    { kind: 'file', path: places.unitFile, mode: 0o644, content: edgeLiteUnit({ role: 'lite' }) },
    { kind: 'reload' },
    { kind: 'unit', name: places.unit },
  ];
}
