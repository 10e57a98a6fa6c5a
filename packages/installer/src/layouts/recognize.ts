import { join } from 'node:path';
import type { NodeFacts } from '../facts/index.ts';
import { places } from '../places.ts';
import {
  type Kubeconfig,
  contentOf,
  flagIn,
  identityOf,
  readKubeconfig,
  stringIn,
  stringsIn,
  userOf,
} from './kubelet-facts.ts';
import { type LayoutRow, layoutTable, trustsHub } from './table.ts';
import type { KubeletLayout, Layout, Recognition } from './types.ts';

const nodePrefix = 'system:node:';

/** API servers: those of edge-lite, those behind the local load balancer, or the one that is named. */
function serversOf(facts: NodeFacts, row: LayoutRow, { server }: Kubeconfig): readonly string[] {
  const ours = stringsIn(facts, places.config, 'server', 'urls');
  const balanced = row.balancers
    .map((path) => stringsIn(facts, path, 'ServerAddresses'))
    .find((list) => list.length > 0);
  return ours.length > 0 ? ours : (balanced?.map((address) => `https://${address}`) ?? [server]);
}

function clusterCaOf(facts: NodeFacts, row: LayoutRow, kubeconfig: Kubeconfig): string {
  const ours = facts.files[places.clusterCa]?.text;
  if (ours !== undefined) return ours;
  const server = contentOf(facts, kubeconfig.credentials.certificateAuthority) ?? '';
  const client = row.clientCa === undefined ? undefined : facts.files[row.clientCa]?.text;
  const parts = client === undefined || client === server ? [server] : [server, client];
  return parts.map((part) => (part === '' || part.endsWith('\n') ? part : `${part}\n`)).join('');
}

const asEndpoint = (path: string): string => (path.startsWith('/') ? `unix://${path}` : path);

function settingOf(facts: NodeFacts, row: LayoutRow, key: string): string | undefined {
  return row
    .configs(facts)
    .map((path) => stringIn(facts, path, key))
    .find((value) => value !== undefined);
}

function runtimeOf(facts: NodeFacts, row: LayoutRow): Pick<Layout, 'runtimeEndpoint' | 'cgroupDriver'> {
  const of = { program: 'kubelet', unit: row.unit };
  const endpoint =
    flagIn(facts, of, 'container-runtime-endpoint') ?? settingOf(facts, row, 'containerRuntimeEndpoint');
  const driver = flagIn(facts, of, 'cgroup-driver') ?? settingOf(facts, row, 'cgroupDriver');
  return {
    runtimeEndpoint: asEndpoint(endpoint ?? row.runtimeEndpoint),
    cgroupDriver: driver === 'systemd' ? 'systemd' : 'cgroupfs',
  };
}

/** Whether parts of its configuration are ours already. */
function isConverted(facts: NodeFacts, { change }: KubeletLayout, read: Kubeconfig): boolean {
  return change.kind === 'argument'
    ? join(change.folder, places.rancherDropIn) in facts.files
    : trustsHub(read);
}

/** What stands in the way of a conversion, for people. */
function obstaclesOf(facts: NodeFacts, row: LayoutRow, layout: Omit<Layout, 'obstacles'>): readonly string[] {
  const [first] = layout.identity;
  const missing = layout.identity.filter(({ path }) => !(path in facts.files)).map(({ path }) => path);
  const checks: readonly (readonly [boolean, string])[] = [
    [row.role === 'control-plane', 'it runs an API server; only workers can become edge nodes'],
    [facts.init !== 'systemd', `its PID 1 is ${facts.init}, not systemd`],
    [first === undefined, `its kubelet has no client certificate in ${layout.kubelet.kubeconfig}`],
    [missing.length > 0, `missing: ${missing.join(', ')}`],
    [layout.clusterCa === '', `the cluster CA in ${layout.kubelet.kubeconfig} cannot be read`],
    [
      facts.selvedge.otherAgents.length > 0,
      `another edge agent is installed: ${facts.selvedge.otherAgents.join(', ')}`,
    ],
  ];
  const all = checks.flatMap(([stands, what]) => (stands ? [what] : []));
  return [...all, ...(row.obstacles?.(facts) ?? [])];
}

function layoutOf(facts: NodeFacts, row: LayoutRow, read: Kubeconfig): Layout {
  const user = userOf(facts, read);
  const named = flagIn(facts, { program: 'kubelet', unit: row.unit }, 'hostname-override');
  const kubelet = { unit: row.unit, kubeconfig: read.path, change: row.change(facts) };
  const layout = {
    kind: row.kind,
    name: row.name,
    role: row.role,
    converted: isConverted(facts, kubelet, read),
    nodeName:
      user?.startsWith(nodePrefix) === true
        ? user.slice(nodePrefix.length)
        : (named ?? facts.hostname.toLowerCase()),
    kubelet,
    kubeProxy: row.kubeProxy(facts),
    servers: serversOf(facts, row, read),
    clusterCa: clusterCaOf(facts, row, read),
    identity: identityOf(read) ?? [],
    ...runtimeOf(facts, row),
    clusterDomain: settingOf(facts, row, 'clusterDomain') ?? 'cluster.local',
  };
  return { ...layout, obstacles: obstaclesOf(facts, row, layout) };
}

/** What there is of Kubernetes, for people who have to find out what it is. */
function findingsIn(facts: NodeFacts): readonly string[] {
  const units = Object.entries(facts.units).map(([name, { activeState }]) => `${name} (${activeState})`);
  const kubelets = facts.processes
    .filter(({ program }) => program === 'kubelet')
    .map(({ argv }) => argv.join(' '));
  return [...units, ...kubelets];
}

/** How Kubernetes lies on the machine. Pure. */
export function recognize(facts: NodeFacts): Recognition {
  const found = findingsIn(facts);
  const row = layoutTable.find(({ isIt }) => isIt(facts));
  const path = row?.kubeconfig(facts);
  if (row === undefined || path === undefined) return { kind: 'unknown', found };
  const read = readKubeconfig(facts, path);
  if (typeof read === 'string') return { kind: 'unknown', found: [`${row.name}: ${read}`, ...found] };
  return { kind: 'known', layout: layoutOf(facts, row, read) };
}
