import type { CloudStatus } from '../cloud/index.ts';
import type { HubStatus, MachineStatus, NodeStatus, StatusResult, UnitStatus } from './types.ts';

function headOf(cloud: Exclude<CloudStatus, { kind: 'none' }>): string {
  if (cloud.kind === 'external')
    return `Selvedge ${cloud.version ?? 'of an unknown version'}, cloud-manager as a deployment that selvedge convert did not make (helm, kubectl)`;
  const { version, mode, complete } = cloud;
  return `Selvedge ${version}, cloud-manager as a ${mode}${complete ? '' : '; INCOMPLETE: resume with selvedge convert, or undo with selvedge revert'}`;
}

/** Of each API server that does not go through cloud-manager. */
const unwiredLines = ({
  unwired,
  machines,
}: Extract<CloudStatus, { kind: 'installed' }>): readonly string[] =>
  unwired.map((name) => {
    const why = machines.includes(name) ? 'its manifest was rewritten since' : 'it joined since';
    return `the API server on ${name} does NOT go through cloud-manager: ${why}; resume with selvedge convert`;
  });

function describeCloud(cloud: CloudStatus): readonly string[] {
  if (cloud.kind === 'none') return ['Selvedge is not installed in this cluster'];
  const { tunnel, certificate } = cloud;
  return [
    headOf(cloud),
    `tunnel: ${tunnel.servers.join(', ') || 'none'}`,
    ...('why' in tunnel ? [`  its CA is unknown: ${tunnel.why}`] : []),
    ...(certificate === undefined
      ? []
      : [`tunnel certificate expires on ${certificate.notAfter.slice(0, 10)}`]),
    ...(cloud.kind === 'installed' ? unwiredLines(cloud) : []),
  ];
}

function describeUnit({ name, counts }: UnitStatus): string {
  if (counts === undefined) return `unit ${name}: not reconciled yet`;
  const { members, connected = 0, settled, conflicts } = counts;
  return `unit ${name}: ${members} members, ${connected} connected, ${settled} settled, ${conflicts} conflicts`;
}

function describeMachine(machine: MachineStatus): string {
  if (machine.kind === 'closed') return `cannot reach or log in to the machine: ${machine.why}`;
  const { layout = 'unknown layout', edgeLite = 'not installed', journal } = machine;
  return `${layout}, edge-lite ${edgeLite}, journal: ${journal.what}`;
}

function readiness(ready: boolean | undefined): string {
  if (ready === undefined) return 'readiness unknown';
  return ready ? 'Ready' : 'NotReady';
}

const hubWords = ({ reachesCloud, since }: HubStatus): string =>
  `hub ${reachesCloud ? 'online' : 'offline'}${since === '' ? '' : ` since ${since}`}`;

function describeNode({ name, machine, versions, ...node }: NodeStatus): string {
  const { kind, unit, hub, sessions } = node;
  const parts = [
    kind,
    readiness(node.ready),
    node.state,
    node.banned ? 'BANNED' : undefined,
    unit && `unit ${unit}`,
    kind === 'stock' ? undefined : `tunnel sessions: ${sessions}`,
    hub && hubWords(hub),
    versions.kubelet && `kubelet ${versions.kubelet}`,
    versions.edgeLite && `edge-lite ${versions.edgeLite}`,
  ];
  const line = `node ${name}: ${parts.filter((part) => part !== undefined).join(', ')}`;
  return machine === undefined ? line : `${line}\n  ${describeMachine(machine)}`;
}

/** For the terminal. */
export function describeStatus({ server, away, cloud, units, nodes }: StatusResult): string {
  const cluster = away === undefined ? describeCloud(cloud) : [`cannot query ${server}: ${away}`];
  return [...cluster, ...units.map(describeUnit), ...nodes.map(describeNode)].join('\n');
}
