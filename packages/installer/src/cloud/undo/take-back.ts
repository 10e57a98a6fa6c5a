import { autonomousTaint, trafficAnnotations } from '@selvedge/api';
import { type KubeObject, type Resource, ifFound, mergePatch, resources } from '@selvedge/kube';
import { edgeNodeResource, edgeUnitResource, unitAppResource } from '../../edge-objects.ts';
import { isSo, pending, poll } from '../../waiting/index.ts';
import { fieldManager, placeIn, refOf } from '../inventory/index.ts';
import { type CloudDeps, cloudTimeouts } from '../types.ts';
import { hasItsOwn } from './tolerations.ts';

/** None, where the kind is not defined. */
async function all(
  resource: Resource<KubeObject>,
  { cluster, signal }: CloudDeps,
): Promise<readonly KubeObject[]> {
  return (await ifFound(cluster.listAll(resource, { signal })))?.items ?? [];
}

type Patching = readonly [resource: Resource<KubeObject>, object: KubeObject, body: object];

async function merge([resource, object, body]: Patching, { cluster, signal }: CloudDeps): Promise<void> {
  const options = { patch: mergePatch(body), fieldManager, signal };
  await ifFound(cluster.patch(resource, refOf(placeIn(resource, object)), options));
}

async function remove(resource: Resource<KubeObject>, deps: CloudDeps): Promise<void> {
  for (const object of await all(resource, deps)) {
    await ifFound(deps.cluster.delete(resource, refOf(placeIn(resource, object)), { signal: deps.signal }));
  }
  const { timeouts = cloudTimeouts } = deps;
  const waiting = {
    what: `the deletion of every ${resource.kind}`,
    timeoutMs: timeouts.takenBackMs,
    hint: 'cloud-manager undoes what they set, and its log says what it waits for; to keep them: --keep-data',
  };
  await poll(waiting, deps, async () => {
    const { length: left } = await all(resource, deps);
    return isSo(left === 0, `${left} left`);
  });
}

async function release(deps: CloudDeps): Promise<void> {
  for (const unit of await all(edgeUnitResource, deps)) {
    await merge([edgeUnitResource, unit, { spec: { deletionPolicy: 'release' } }], deps);
  }
  await remove(edgeUnitResource, deps);
}

async function endAutonomy(deps: CloudDeps): Promise<void> {
  const edge = await all(edgeNodeResource, deps);
  for (const node of edge) await merge([edgeNodeResource, node, { spec: { autonomy: 'off' } }], deps);
  if (edge.length === 0) return;
  const { cluster, signal, timeouts = cloudTimeouts } = deps;
  const waiting = {
    what: 'pods to get their original tolerations back, and nodes to lose the autonomy taint',
    timeoutMs: timeouts.takenBackMs,
    hint: 'cloud-manager restores them, and its log says what it waits for; to leave them: --keep-data',
  };
  await poll(waiting, deps, async () => {
    const { items: found } = await cluster.listAll(resources.nodes, { signal });
    const tainted = found.find(({ spec }) => spec?.taints?.some(({ key }) => key === autonomousTaint));
    if (tainted !== undefined) return pending(`Node ${tainted.metadata.name ?? ''} has the taint`);
    const { items: pods } = await cluster.listAll(resources.pods, { signal });
    const { length: left } = pods.filter(({ spec }) => !hasItsOwn(spec?.tolerations ?? []));
    return isSo(left === 0, `${left} pods have not`);
  });
}

async function endTrafficScopes(deps: CloudDeps): Promise<void> {
  const { scope, fallback } = trafficAnnotations;
  for (const namespace of await all(resources.namespaces, deps)) {
    const { annotations = {} } = namespace.metadata;
    if (annotations[scope] === undefined && annotations[fallback] === undefined) continue;
    const body = { metadata: { annotations: { [scope]: null, [fallback]: null } } };
    await merge([resources.namespaces, namespace, body], deps);
  }
}

/**
 * While cloud-manager runs: what it gave to nodes, pods and Services is taken back by it, in the order of
 * docs/tasks/cloud-manager.md "Remove everything". Throws `DeadlineExceeded` if that takes too long; called again it goes on.
 */
export async function takeBack(deps: CloudDeps): Promise<void> {
  const { progress } = deps;
  await progress.task('delete all UnitApps, and wait until their clones are gone', () =>
    remove(unitAppResource, deps),
  );
  await progress.task('delete all EdgeUnits, and wait until their settings are removed from nodes', () =>
    release(deps),
  );
  await progress.task('turn autonomy off, and wait until pods have their original tolerations', () =>
    endAutonomy(deps),
  );
  await progress.task('remove the traffic scope annotations from Namespaces', () => endTrafficScopes(deps));
}
