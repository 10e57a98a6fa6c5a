import { hubRole, managerAdmission } from '@selvedge/api';
import { SelvedgeError, hasCode } from '@selvedge/kit';
import { clusterInfoAt, ifFound, resources, staticCredentials } from '@selvedge/kube';
import type { ClusterRoleBinding } from '@selvedge/kube/types';
import { cloudStatus } from '../cloud/index.ts';
import { type EdgeUnitObject, edgeUnitResource } from '../edge-objects.ts';
import { type ClusterInfo, readClusterInfo } from './cluster-info.ts';
import { type JoinConfig, type JoinConfigSeen, kubeletConfig, tunnelCaConfig } from './join-configs.ts';
import { type TunnelSeen, tunnelSeen } from './tunnel-seen.ts';
import type { TokenCreateOptions, TokenDeps } from './types.ts';

/** What a cluster has of what joining needs. */
export interface Observed {
  readonly bindings: readonly ClusterRoleBinding[];
  readonly clusterInfo: ClusterInfo | undefined;
  /** Whether it can be read without credentials. */
  readonly isClusterInfoOpen: boolean;
  /** Whether cloud-manager holds tokens to their nodes. */
  readonly hasWebhook: boolean;
  /** Whether hubs may read what they need. */
  readonly hasHubRole: boolean;
  /** Those of the nodes of the token that exist. */
  readonly existingNodes: readonly string[];
  /** All, where the token is for one. */
  readonly units: readonly EdgeUnitObject[];
  readonly tunnel: TunnelSeen;
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

async function existing(
  names: readonly string[],
  { cluster, signal }: TokenDeps,
): Promise<readonly string[]> {
  const found = await Promise.all(
    names.map((name) => ifFound(cluster.get(resources.nodes, { name }, { signal }))),
  );
  return found.flatMap((node) => node?.metadata.name ?? []);
}

async function seen(
  { at, key, readers }: JoinConfig,
  { cluster, signal }: TokenDeps,
): Promise<JoinConfigSeen> {
  const ofReaders = { namespace: at.namespace, name: readers };
  const [configMap, role, binding] = await Promise.all([
    ifFound(cluster.get(resources.configMaps, at, { signal })),
    ifFound(cluster.get(resources.roles, ofReaders, { signal })),
    ifFound(cluster.get(resources.roleBindings, ofReaders, { signal })),
  ]);
  return { text: configMap?.data?.[key], isOpen: role !== undefined && binding !== undefined };
}

/** Reads all that a plan needs. Changes nothing. Throws `Unsupported` where no machine can join. */
export async function observe(options: TokenCreateOptions, deps: TokenDeps): Promise<Observed> {
  const { cluster, signal } = deps;
  const [configMap, webhook, role] = await Promise.all([
    ifFound(cluster.get(resources.configMaps, clusterInfoAt, { signal })),
    ifFound(
      cluster.get(
        resources.validatingWebhookConfigurations,
        { name: managerAdmission.configuration },
        { signal },
      ),
    ),
    ifFound(cluster.get(resources.clusterRoles, { name: hubRole.metadata.name }, { signal })),
  ]);
  const { items: bindings } = await cluster.listAll(resources.clusterRoleBindings, { signal });
  const units = options.unit === undefined ? [] : (await cluster.listAll(edgeUnitResource, { signal })).items;
  return {
    bindings,
    clusterInfo: configMap === undefined ? undefined : readClusterInfo(configMap),
    isClusterInfoOpen: await isOpen(deps),
    hasWebhook: webhook !== undefined,
    hasHubRole: role !== undefined,
    existingNodes: await existing(options.nodes, deps),
    units,
    tunnel: tunnelSeen(await cloudStatus(cluster, signal)),
    tunnelCa: await seen(tunnelCaConfig, deps),
    kubeletConfig: await seen(kubeletConfig, deps),
  };
}
