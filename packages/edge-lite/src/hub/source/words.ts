import type { ObjectRef, SourceResource } from '../../pods/index.ts';
import type { CoverageSpec, HeldResource, ObjectName } from '../replica/types.ts';

/** What the pod module's words mean in the API. */
const resources: Readonly<Record<SourceResource, HeldResource>> = {
  pods: 'v1/pods',
  services: 'v1/services',
  nodes: 'v1/nodes',
  configmaps: 'v1/configmaps',
  secrets: 'v1/secrets',
};

export const heldAs = (resource: SourceResource): HeldResource => resources[resource];

/** Resources of which only single objects are held, each with a coverage of its own. */
const followedResources: ReadonlySet<SourceResource> = new Set<SourceResource>(['configmaps', 'secrets']);

export const isFollowed = (resource: SourceResource): boolean => followedResources.has(resource);

export const nameOf = ({ namespace = '', name }: ObjectRef): ObjectName => ({ namespace, name });

export const refOf = (resource: SourceResource, { namespace, name }: ObjectName): ObjectRef => ({
  resource,
  name,
  ...(namespace === '' ? {} : { namespace }),
});

const everything = { namespace: '', labelSelector: '', fieldSelector: '' };

/** The coverage of one object: a node may read only those that its pods name, one by one. */
export const specOfObject = ({ resource, namespace = '', name }: ObjectRef): CoverageSpec => ({
  ...everything,
  resource: heldAs(resource),
  namespace,
  fieldSelector: `metadata.name=${name}`,
});

/** What a node needs of a resource. Source: kubernetes.io "Using Node Authorization". */
export function specOfNode(resource: 'pods' | 'services' | 'nodes', nodeName: string): CoverageSpec {
  const fields = { pods: `spec.nodeName=${nodeName}`, services: '', nodes: `metadata.name=${nodeName}` };
  return { ...everything, resource: heldAs(resource), fieldSelector: fields[resource] };
}
