import { defineResource, parseFieldSelector, type KubeObject, type Resource } from '@selvedge/kube';
import type { Attributes } from '../access/types.ts';
import { apiVersionOf, resourceParts } from '../request-info/index.ts';
import type { CoverageSpec, HeldResource } from '../replica/types.ts';

/** One text for one question: `v1/pods??spec.nodeName=shop-7`, with namespace and label selector between. */
export function specKey({ resource, namespace, labelSelector, fieldSelector }: CoverageSpec): string {
  return [resource, namespace, labelSelector, fieldSelector].join('?');
}

/** For a client. Its objects say themselves of what kind they are, or their list does. */
export function listedResource(held: HeldResource): Resource<KubeObject> {
  const { resource } = resourceParts(held);
  return defineResource({ apiVersion: apiVersionOf(held), kind: '', plural: resource, namespaced: true });
}

/** The name that every object of the selection has, if that is asked for. */
export function selectedName({ fieldSelector }: Pick<CoverageSpec, 'fieldSelector'>): string | undefined {
  const requirement = parseFieldSelector(fieldSelector).find(
    ({ field, operator }) => field === 'metadata.name' && operator === '=',
  );
  return requirement?.value;
}

/**
 * What somebody must be allowed who wants to read it. A selected name counts as the request's name, as in the API server:
 * that is how nodes may watch single secrets. Source: kubernetes.io "Using Node Authorization".
 */
export function attributesOf(spec: CoverageSpec, verb: 'list' | 'watch'): Attributes & { kind: 'resource' } {
  const { group, version, resource } = resourceParts(spec.resource);
  const { namespace, labelSelector, fieldSelector } = spec;
  const name = selectedName(spec) ?? '';
  return {
    kind: 'resource',
    verb,
    group,
    version,
    resource,
    subresource: '',
    namespace,
    name,
    labelSelector,
    fieldSelector,
  };
}
