import { SelvedgeError } from '@selvedge/kit';
import { formatHostPort } from '@selvedge/kit/net';
import { resources } from '@selvedge/kube';
import type { ClusterChange } from '../changes/index.ts';
import { addMembers } from '../edge-units/index.ts';
import { bindingOf, isGiven } from '../group-rights.ts';
import { notAllowed, refuseUnread } from '../reading/index.ts';
import { type ClusterInfo, newClusterInfo } from './cluster-info.ts';
import { kubeletConfigChanges, tunnelCaChanges } from './join-configs.ts';
import { clusterInfoObject, joinRights, readersBinding, readersRole } from './join-rights.ts';
import type { Observed } from './observe.ts';
import { pinOfAuthority } from './pin.ts';
import { refuseUnknown, tunnelWarnings } from './tunnel-seen.ts';
import type { TokenCreateOptions, TokenDeps } from './types.ts';

export interface TokenPlan {
  /** Before the token is made. */
  readonly changes: readonly ClusterChange[];
  readonly warnings: readonly string[];
  /** What the token signs. */
  readonly clusterInfo: ClusterInfo;
  /** What machines are told. */
  readonly server: string;
  readonly caHash: string;
  readonly tunnelServers: readonly string[];
}

const where = 'cluster';

const rightsOf = ({ bindings }: Observed): readonly ClusterChange[] =>
  joinRights
    .filter((right) => !isGiven(right, bindings))
    .map((right) => ({
      where,
      what: `${right.what}: ClusterRoleBinding ${right.name}`,
      write: { kind: 'apply', resource: resources.clusterRoleBindings, object: bindingOf(right) },
    }));

function infoChanges(observed: Observed, info: ClusterInfo): readonly ClusterChange[] {
  const made: ClusterChange = {
    where,
    what: 'publish the API server address and CA: ConfigMap kube-public/cluster-info',
    write: { kind: 'apply', resource: resources.configMaps, object: clusterInfoObject(info) },
  };
  const opened: readonly ClusterChange[] = [
    {
      where,
      what: 'make it readable by everyone: Role kube-public/selvedge:cluster-info',
      write: { kind: 'apply', resource: resources.roles, object: readersRole },
    },
    {
      where,
      what: 'make it readable by everyone: RoleBinding kube-public/selvedge:cluster-info',
      write: { kind: 'apply', resource: resources.roleBindings, object: readersBinding },
    },
  ];
  return [
    ...(observed.clusterInfo === undefined ? [made] : []),
    ...(observed.isClusterInfoOpen ? [] : opened),
  ];
}

const isLoopback = (server: string): boolean =>
  /^(localhost|127\.|\[::1\])/.test(new URL(server).hostname) || new URL(server).hostname === '[::1]';

function warningsOf(options: TokenCreateOptions, observed: Observed, server: string): readonly string[] {
  const { nodes } = options;
  const all: readonly (readonly [boolean, string])[] = [
    [
      nodes.length === 0,
      'anyone who gets hold of this token can join nodes until it expires; bind it to one with --node NAME',
    ],
    [
      nodes.length > 0 && !observed.hasWebhook,
      "the binding to nodes is not enforced: cloud-manager's admission webhook is not registered in this cluster",
    ],
    [
      observed.existingNodes.length > 0,
      `node ${observed.existingNodes.join(', ')} already exists, and a token cannot join a second one of that name: see docs/tasks/replace-a-node.md`,
    ],
    [
      !observed.hasHubRole,
      'the cloud side is not set up: without ClusterRole selvedge:hub a node that joins cannot read EndpointSlices; see docs/tasks/join.md, "What the cluster needs"',
    ],
    [isLoopback(server), `other machines cannot reach ${server}; set the right address with --server`],
  ];
  const { unknown, kubeletConfig } = observed;
  const hidden = (kubeletConfig.unread ?? []).map(({ right }) => right);
  const dns =
    hidden.length === 0
      ? []
      : [`whether machines can read of the cluster DNS is unknown: ${notAllowed(hidden)}`];
  return [...all.flatMap(([holds, text]) => (holds ? [text] : [])), ...unknown, ...dns];
}

/** Where what may not be read has to be known. Throws `Forbidden` with `findings`. */
function refuseBlind({ needed, tunnel, tunnelCa }: Observed, tunnelServers: readonly string[]): void {
  const missing = tunnel.kind === 'unknown' ? (tunnel.missing ?? []) : [];
  const ofTunnel = tunnelServers.length === 0 ? [] : [...missing, ...(tunnelCa.unread ?? [])];
  refuseUnread('create a token that machines can join with', [...needed, ...ofTunnel]);
}

function infoOf(observed: Observed, options: TokenCreateOptions, access: TokenDeps['access']): ClusterInfo {
  if (observed.clusterInfo !== undefined) return observed.clusterInfo;
  if (access.certificateAuthority !== undefined)
    return newClusterInfo(options.server ?? access.server, access.certificateAuthority);
  throw new SelvedgeError('no cluster CA to hand to joining machines: the kubeconfig has none', {
    code: 'Invalid',
    hint: 'use a kubeconfig with certificate-authority or certificate-authority-data',
  });
}

const serversOf = ({ tunnel }: Observed): readonly string[] => (tunnel.kind === 'none' ? [] : tunnel.servers);

/**
 * What is to be done before a token is of use. Pure. Throws `Invalid` where a unit is wanted for nobody in particular,
 * `Conflict` with `findings` where nobody knows whom machines can trust, `Forbidden` with `findings` where something that has to be
 * known may not be read, and as `addMembers`.
 */
export function planToken(
  options: TokenCreateOptions,
  observed: Observed,
  access: TokenDeps['access'],
): TokenPlan {
  const { nodes, unit } = options;
  if (unit !== undefined && nodes.length === 0) {
    throw new SelvedgeError('--unit needs --node', {
      code: 'Invalid',
      hint: 'add --node NAME: unit membership is decided in the cloud, not by the joining machine',
    });
  }
  const tunnelServers = options.tunnelServers?.map(formatHostPort) ?? serversOf(observed);
  refuseBlind(observed, tunnelServers);
  const clusterInfo = infoOf(observed, options, access);
  const server = options.server ?? clusterInfo.server;
  const caHash = pinOfAuthority(clusterInfo.certificateAuthority, access.certificateAuthority);
  if (caHash === undefined)
    throw new SelvedgeError('kube-public/cluster-info contains no CA certificate', { code: 'Invalid' });
  const told = { servers: tunnelServers, published: observed.tunnelCa.text };
  refuseUnknown(observed.tunnel, told);
  const changes = [
    ...rightsOf(observed),
    ...infoChanges(observed, clusterInfo),
    ...kubeletConfigChanges(observed.kubeletConfig),
    ...tunnelCaChanges(observed.tunnel, observed.tunnelCa),
    ...(unit === undefined ? [] : addMembers(observed.units, unit, nodes)),
  ];
  if (changes.some(({ write }) => write.kind === 'apply'))
    refuseUnread('record what is created for the token', observed.inventoryUnread);
  return {
    changes,
    warnings: [...warningsOf(options, observed, server), ...tunnelWarnings(observed.tunnel, told)],
    clusterInfo,
    server,
    caHash,
    tunnelServers,
  };
}
