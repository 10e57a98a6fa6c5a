import { managerNamespace } from '@selvedge/api';
import { type KubeObject, resourcePath, resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { edgeNodeResource, edgeUnitResource, unitAppResource } from '../edge-objects.ts';
import type { Collection } from './collection.ts';
import { type SupportDumpDeps, dumpDefaults } from './types.ts';

const ours = {
  edgenodes: edgeNodeResource,
  edgeunits: edgeUnitResource,
  unitapps: unitAppResource,
  nodes: resources.nodes,
  leases: resources.leases,
} as const;

/** Namespaces whose Events are about us, or about Nodes. */
const eventNamespaces = [managerNamespace, 'default', 'kube-system'];

async function logOf(pod: Pod, lines: number, { cluster, signal }: SupportDumpDeps): Promise<string> {
  const { namespace = '', name = '' } = pod.metadata;
  const path = resourcePath(resources.pods, { namespace, name, subresource: 'log' });
  const query = { tailLines: lines, limitBytes: dumpDefaults.maxFileBytes, timestamps: true };
  return (await cluster.raw({ method: 'GET', path, query, accept: '*/*', signal })).body.toString();
}

async function addPods(collection: Collection, lines: number, deps: SupportDumpDeps): Promise<void> {
  const { cluster, signal } = deps;
  let pods: readonly Pod[] = [];
  const read = async (): Promise<readonly Pod[]> => {
    ({ items: pods } = await cluster.listAll(resources.pods, { namespace: managerNamespace, signal }));
    return pods;
  };
  await collection.add('cluster/pods.json', read, signal);
  for (const pod of pods) {
    const file = `cluster/logs/${pod.metadata.name ?? ''}.log`;
    await collection.add(file, () => logOf(pod, lines, deps), signal);
  }
}

/** What the API server knows of an installation. */
export async function addCluster(
  collection: Collection,
  { logLines = dumpDefaults.logLines }: { readonly logLines?: number },
  deps: SupportDumpDeps,
): Promise<void> {
  const { cluster, signal } = deps;
  const version = async (): Promise<unknown> =>
    JSON.parse((await cluster.raw({ method: 'GET', path: '/version', signal })).body.toString());
  await collection.add('cluster/version.json', version, signal);
  for (const [name, resource] of Object.entries(ours)) {
    const list = async (): Promise<unknown> =>
      (await cluster.listAll<KubeObject>(resource, { signal })).items;
    await collection.add(`cluster/${name}.json`, list, signal);
  }
  for (const namespace of eventNamespaces) {
    const list = async (): Promise<unknown> =>
      (await cluster.listAll(resources.events, { namespace, signal })).items;
    await collection.add(`cluster/events-${namespace}.json`, list, signal);
  }
  await addPods(collection, logLines, deps);
}
