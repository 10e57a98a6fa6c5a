import { SelvedgeError } from '@selvedge/kit';
import { formatHostPort } from '@selvedge/kit/net';
import { resources } from '@selvedge/kube';
import type { ClusterChange } from '../changes/index.ts';
import { addMembers } from '../unit/index.ts';
import { type ClusterInfo, newClusterInfo } from './cluster-info.ts';
import {
  bindingOf,
  clusterInfoObject,
  isGiven,
  joinRights,
  readersBinding,
  readersRole,
} from './join-rights.ts';
import type { Observed } from './observe.ts';
import { pinOfAuthority } from './pin.ts';
import { tunnelCaChanges } from './tunnel-ca.ts';
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
    what: `write where the API server is and whom to trust: ConfigMap kube-public/cluster-info`,
    write: { kind: 'apply', resource: resources.configMaps, object: clusterInfoObject(info) },
  };
  const opened: readonly ClusterChange[] = [
    {
      where,
      what: 'let anybody read it: Role kube-public/selvedge:cluster-info',
      write: { kind: 'apply', resource: resources.roles, object: readersRole },
    },
    {
      where,
      what: 'let anybody read it: RoleBinding kube-public/selvedge:cluster-info',
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
    [nodes.length === 0, 'whoever finds this token adds nodes until it expires; --node NAME binds it to one'],
    [
      nodes.length > 0 && !observed.hasWebhook,
      "nothing holds the token to its nodes: cloud-manager's webhook is not registered in this cluster",
    ],
    [
      observed.existingNodes.length > 0,
      `there is a node ${observed.existingNodes.join(', ')} already, and no token makes a second one: see docs/tasks/replace-a-node.md`,
    ],
    [
      !observed.hasHubRole,
      'this cluster is not prepared for edge nodes: run `selvedge convert` before a machine joins',
    ],
    [isLoopback(server), `machines elsewhere do not reach ${server}; name the right one with --server`],
  ];
  return all.flatMap(([holds, text]) => (holds ? [text] : []));
}

function infoOf(observed: Observed, options: TokenCreateOptions, access: TokenDeps['access']): ClusterInfo {
  if (observed.clusterInfo !== undefined) return observed.clusterInfo;
  if (access.certificateAuthority !== undefined)
    return newClusterInfo(options.server ?? access.server, access.certificateAuthority);
  throw new SelvedgeError('it is not known whom machines shall trust: the kubeconfig names no authority', {
    code: 'Invalid',
    hint: 'use a kubeconfig with certificate-authority or certificate-authority-data',
  });
}

/**
 * What is to be done before a token is of use. Pure. Throws `Invalid` where a unit is wanted for nobody in particular,
 * and as `addMembers`.
 */
export function planToken(
  options: TokenCreateOptions,
  observed: Observed,
  access: TokenDeps['access'],
): TokenPlan {
  const { nodes, unit } = options;
  if (unit !== undefined && nodes.length === 0) {
    throw new SelvedgeError('a token for a unit has to be for nodes that are named', {
      code: 'Invalid',
      hint: 'give --node NAME: who is in a unit is decided in the cloud, not by a machine that joins',
    });
  }
  const clusterInfo = infoOf(observed, options, access);
  const server = options.server ?? clusterInfo.server;
  const caHash = pinOfAuthority(clusterInfo.certificateAuthority, access.certificateAuthority);
  if (caHash === undefined)
    throw new SelvedgeError('kube-public/cluster-info holds no certificate', { code: 'Invalid' });
  const members = unit === undefined ? [] : addMembers(observed.units, unit, nodes);
  return {
    changes: [
      ...rightsOf(observed),
      ...infoChanges(observed, clusterInfo),
      ...tunnelCaChanges(observed.tunnel.ca, observed.published),
      ...members,
    ],
    warnings: warningsOf(options, observed, server),
    clusterInfo,
    server,
    caHash,
    tunnelServers: options.tunnelServers?.map(formatHostPort) ?? observed.tunnel.servers,
  };
}
