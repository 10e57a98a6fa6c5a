import { type KubeObject, type Resource, resourceName, resources } from '@selvedge/kube';
import type { ObjectRef, SourceResource } from '../pods/index.ts';
import type { ObjectKey } from '../store/index.ts';

/** What the pod module's words mean in the API. */
export const kinds: Readonly<Record<SourceResource, Resource<KubeObject>>> = {
  pods: resources.pods,
  services: resources.services,
  nodes: resources.nodes,
  configmaps: resources.configMaps,
  secrets: resources.secrets,
};

/** Resources of which only single objects are held, each with a list-watch of its own. */
export const followedResources: readonly SourceResource[] = ['configmaps', 'secrets'];

/** The word of the store: with the group, which may have a resource of the same plural. */
export const storedName = (resource: SourceResource): string => resourceName(kinds[resource]);

export const keyOfRef = ({ resource, namespace = '', name }: ObjectRef): ObjectKey => ({
  resource: storedName(resource),
  namespace,
  name,
});

const byStoredName = new Map(
  (Object.keys(kinds) as SourceResource[]).map((resource) => [storedName(resource), resource]),
);

/** The way back; undefined of a row that the pod module has no word for. */
export function refOfKey({ resource, namespace, name }: ObjectKey): ObjectRef | undefined {
  const word = byStoredName.get(resource);
  if (word === undefined) return undefined;
  return { resource: word, name, ...(namespace === '' ? {} : { namespace }) };
}
