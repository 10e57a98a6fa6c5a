import { hubRole, managerAdmission } from '@selvedge/api';
import { SelvedgeError, hasCode } from '@selvedge/kit';
import { clusterInfoAt, resources, staticCredentials } from '@selvedge/kube';
import type { ClusterRoleBinding } from '@selvedge/kube/types';
import { cloudStatus, inventoryAt } from '../cloud/index.ts';
import { type EdgeUnitObject, edgeUnitResource } from '../edge-objects.ts';
import { type Reading, type Unread, createReading, notAllowed, seenOr } from '../reading/index.ts';
import { type ClusterInfo, readClusterInfo } from './cluster-info.ts';
import { type JoinConfig, type JoinConfigSeen, kubeletConfig, tunnelCaConfig } from './join-configs.ts';
import { type TunnelSeen, tunnelSeen } from './tunnel-seen.ts';
import type { TokenCreateOptions, TokenDeps } from './types.ts';

/** What a cluster has of what joining needs. */
export interface Observed {
  /** What may not be read, and nothing can be planned without. */
  readonly needed: readonly Unread[];
  readonly bindings: readonly ClusterRoleBinding[];
  readonly clusterInfo: ClusterInfo | undefined;
  /** Whether it can be read without credentials. */
  readonly isClusterInfoOpen: boolean;
  /** Whether cloud-manager holds tokens to their nodes, as far as is known. */
  readonly hasWebhook: boolean;
  /** Whether hubs may read what they need, as far as is known. */
  readonly hasHubRole: boolean;
  /** What nobody knows of this for want of a right, for people. */
  readonly unknown: readonly string[];
  /** Those of the nodes of the token that exist. */
  readonly existingNodes: readonly string[];
  /** All, where the token is for one. */
  readonly units: readonly EdgeUnitObject[];
  readonly tunnel: TunnelSeen;
  /** The inventory, if it may not be read: nothing can be recorded there. */
  readonly inventoryUnread: readonly Unread[];
  /** What machines read of the tunnel before they join. */
  readonly tunnelCa: JoinConfigSeen;
  /** What they read of the cluster's DNS. */
  readonly kubeletConfig: JoinConfigSeen;
}

const noAnonymous = (cause: unknown): SelvedgeError =>
  new SelvedgeError('the API server rejects anonymous requests, which a joining machine needs', {
    code: 'Unsupported',
    cause,
    hint: 'start it with --anonymous-auth=true, or allow anonymous requests to the path of kube-public/cluster-info in its AuthenticationConfiguration',
  });

/** As a machine sees it that knows the authority only. */
async function isOpen({ connect, access, signal }: TokenDeps): Promise<boolean> {
  const { certificateAuthority } = access;
  const nobody = connect(staticCredentials({ certificateAuthority }));
  try {
    await nobody.get(resources.configMaps, clusterInfoAt, { signal });
    return true;
  } catch (error) {
    if (hasCode(error, 'Unauthenticated')) throw noAnonymous(error);
    if (hasCode(error, 'Forbidden', 'NotFound')) return false;
    throw error;
  } finally {
    await nobody.close();
  }
}

async function seen({ at, key, readers }: JoinConfig, deps: TokenDeps): Promise<JoinConfigSeen> {
  const reading = createReading(deps);
  const ofReaders = { namespace: at.namespace, name: readers };
  const [configMap, role, binding] = await Promise.all([
    reading.get(resources.configMaps, at),
    reading.get(resources.roles, ofReaders),
    reading.get(resources.roleBindings, ofReaders),
  ]);
  const { unread } = reading;
  return {
    text: configMap.kind === 'seen' ? configMap.value.data?.[key] : undefined,
    isOpen: role.kind === 'seen' && binding.kind === 'seen',
    ...(unread.length === 0 ? {} : { unread }),
  };
}

/** What there is to be warned of, and what of it nobody knows. */
async function lookAround(
  { nodes }: TokenCreateOptions,
  reading: Reading,
): Promise<Pick<Observed, 'hasWebhook' | 'hasHubRole' | 'existingNodes' | 'unknown'>> {
  const [webhook, role, ...found] = await Promise.all([
    reading.get(resources.validatingWebhookConfigurations, { name: managerAdmission.configuration }),
    reading.get(resources.clusterRoles, { name: hubRole.metadata.name }),
    ...nodes.map((name) => reading.get(resources.nodes, { name })),
  ]);
  const wanted = [
    ...(nodes.length === 0 ? [] : [[webhook, 'the binding to nodes is enforced'] as const]),
    [role, `the cloud side is set up (ClusterRole ${hubRole.metadata.name})`] as const,
    ...found.map((node, at) => [node, `node ${nodes[at] ?? ''} already exists`] as const),
  ];
  return {
    hasWebhook: webhook.kind !== 'absent',
    hasHubRole: role.kind !== 'absent',
    existingNodes: nodes.filter((_name, at) => found[at]?.kind === 'seen'),
    unknown: wanted.flatMap(([one, what]) =>
      one.kind === 'unread' ? [`whether ${what} is unknown: ${notAllowed([one.right])}`] : [],
    ),
  };
}

/** Reads all that a plan needs. Changes nothing. Throws `Unsupported` where no machine can join. */
export async function observe(options: TokenCreateOptions, deps: TokenDeps): Promise<Observed> {
  const [needed, ofTunnel] = [createReading(deps), createReading(deps)];
  const [configMap, bindings, units] = await Promise.all([
    needed.get(resources.configMaps, clusterInfoAt),
    needed.list(resources.clusterRoleBindings),
    options.unit === undefined ? undefined : needed.list(edgeUnitResource),
  ]);
  const cloud = await cloudStatus(ofTunnel);
  return {
    needed: needed.unread,
    bindings: seenOr(bindings, []),
    clusterInfo: configMap.kind === 'seen' ? readClusterInfo(configMap.value) : undefined,
    isClusterInfoOpen: await isOpen(deps),
    ...(await lookAround(options, createReading(deps))),
    units: units === undefined ? [] : seenOr(units, []),
    tunnel: tunnelSeen(cloud),
    inventoryUnread: ofTunnel.unread.filter(({ right }) => right.name === inventoryAt.name),
    tunnelCa: await seen(tunnelCaConfig, deps),
    kubeletConfig: await seen(kubeletConfig, deps),
  };
}
