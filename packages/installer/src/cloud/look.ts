import { managerNamespace } from '@selvedge/api';
import { type KubeClient, ifFound, resources } from '@selvedge/kube';
import type { Deployment } from '@selvedge/kube/types';
import { isGiven, renewalRight } from '../group-rights.ts';
import { certificateIn } from './certificates/secret.ts';
import { allOf, desiredObjects, modeOf, tlsSecretName } from './desired.ts';
import { lookAtDns } from './dns/index.ts';
import { openInventory } from './inventory/index.ts';
import { lookAtControlPlanes } from './look-machines.ts';
import { lookAtObjects } from './look-objects.ts';
import type { MachineDeps } from './machine/run.ts';
import { ownNamespace, renewalBinding } from './objects/cloud.ts';
import { managerAt } from './objects/metadata.ts';
import { awaitOldNamespace } from './old-namespace.ts';
import { tunnelCaOf } from './tunnel.ts';
import type { CloudOptions, CloudSeen, CloudTimeouts, ControlPlaneMachine } from './types.ts';

export interface LookDeps extends MachineDeps {
  readonly cluster: KubeClient;
  /** How long things are waited for. Default `cloudTimeouts`. */
  readonly timeouts?: CloudTimeouts;
}

/** Whether all pods that are wanted are there, of this Deployment's newest form. Source: apps/v1 DeploymentStatus. */
export function isRolledOut({ metadata, spec, status }: Deployment): boolean {
  const { replicas = 1 } = spec ?? {};
  const { observedGeneration = 0, updatedReplicas = 0, availableReplicas = 0 } = status ?? {};
  return (
    observedGeneration >= (metadata.generation ?? 0) &&
    updatedReplicas >= replicas &&
    availableReplicas >= replicas
  );
}

async function isReady(
  mode: 'deployment' | 'unit',
  machines: readonly ControlPlaneMachine[],
  deps: LookDeps,
): Promise<boolean> {
  if (mode === 'unit') return machines.every((one) => one.kind === 'open' && one.runs.manager === 'done');
  const found = await ifFound(deps.cluster.get(resources.deployments, managerAt, { signal: deps.signal }));
  return found !== undefined && isRolledOut(found);
}

/**
 * Looks at all that a plan depends on, once nothing of an earlier installation is being deleted any more. Changes nothing. Throws
 * `DeadlineExceeded` if that takes too long.
 */
export async function lookAtCloud(options: CloudOptions, deps: LookDeps): Promise<CloudSeen> {
  const { cluster, signal, clock } = deps;
  await awaitOldNamespace(deps);
  // Machines are not asked who runs nothing on them.
  const controlPlanes = options.mode === 'deployment' ? [] : await lookAtControlPlanes(deps);
  const mode = modeOf(options, controlPlanes);
  const wanted = allOf(desiredObjects(options, controlPlanes));
  const secret = { namespace: managerNamespace, name: tlsSecretName(mode, options) };
  const certificate = certificateIn(await ifFound(cluster.get(resources.secrets, secret, { signal })));
  const { items: bindings } = await cluster.listAll(resources.clusterRoleBindings, { signal });
  const answer = await cluster.raw({ method: 'GET', path: '/version', signal });
  return {
    now: clock.now(),
    version: (JSON.parse(answer.body.toString()) as { readonly gitVersion?: string }).gitVersion ?? '',
    controlPlanes,
    nodes: mode === 'unit' ? [] : (await cluster.listAll(resources.nodes, { signal })).items,
    nodesRenew: isGiven(renewalRight, bindings),
    objects: await lookAtObjects([ownNamespace, renewalBinding, ...wanted], deps),
    certificate,
    tunnelCa: await tunnelCaOf(certificate, { cluster, signal }),
    ...(await lookAtDns(cluster, signal)),
    inventory: (await openInventory(cluster, signal)).inventory,
    ready: await isReady(mode, controlPlanes, deps),
    viaKubelet: deps.hosts.viaKubelet === true,
  };
}
