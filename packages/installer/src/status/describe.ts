import type { CloudStatus, TunnelStatus } from '../cloud/index.ts';
import { type Unread, askFor, nameOfRight } from '../reading/index.ts';
import type { HubStatus, MachineStatus, NodeStatus, StatusResult, UnitStatus } from './types.ts';

function headOf(cloud: Exclude<CloudStatus, { kind: 'none' }>): string {
  if (cloud.kind === 'unknown')
    return cloud.version === undefined
      ? `whether Selvedge is installed in this cluster is unknown: ${cloud.why}`
      : `Selvedge ${cloud.version}, cloud-manager as a deployment; whether selvedge convert made it is unknown: ${cloud.why}`;
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

const serversText = ({ servers, serversUnknown }: TunnelStatus): string =>
  servers.join(', ') || (serversUnknown === undefined ? 'none' : `unknown: ${serversUnknown}`);

function describeCloud(cloud: CloudStatus): readonly string[] {
  if (cloud.kind === 'none') return ['Selvedge is not installed in this cluster'];
  const { tunnel, certificate } = cloud;
  if (cloud.kind === 'unknown' && cloud.version === undefined) return [headOf(cloud)];
  return [
    headOf(cloud),
    `tunnel: ${serversText(tunnel)}`,
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
    kind === 'stock' ? undefined : `tunnel sessions: ${sessions ?? 'unknown'}`,
    hub && hubWords(hub),
    versions.kubelet && `kubelet ${versions.kubelet}`,
    versions.edgeLite && `edge-lite ${versions.edgeLite}`,
  ];
  const line = `node ${name}: ${parts.filter((part) => part !== undefined).join(', ')}`;
  return machine === undefined ? line : `${line}\n  ${describeMachine(machine)}`;
}

function describeUnread(unread: readonly Unread[]): readonly string[] {
  if (unread.length === 0) return [];
  return [
    'what you are not allowed to read is unknown here:',
    ...unread.map(({ right, why }) => `  ${nameOfRight(right)}: ${why}`),
    `  ${askFor(unread.map(({ right }) => right))}`,
  ];
}

/** For the terminal. */
export function describeStatus({ server, away, cloud, units, nodes, unread }: StatusResult): string {
  const cluster = away === undefined ? describeCloud(cloud) : [`cannot query ${server}: ${away}`];
  const known = [...cluster, ...units.map(describeUnit), ...nodes.map(describeNode)];
  return [...known, ...describeUnread(unread)].join('\n');
}
