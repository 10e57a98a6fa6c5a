import { SelvedgeError } from '@selvedge/kit';
import { type KubeObject, type ObjectRef, type Resource, defineResource } from '@selvedge/kube';
import type { Place } from './types.ts';

type Scope = 'namespace' | 'cluster';

/** The resources of which we make objects. */
const plurals: Readonly<Record<string, readonly [plural: string, scope: Scope]>> = {
  ClusterRole: ['clusterroles', 'cluster'],
  ClusterRoleBinding: ['clusterrolebindings', 'cluster'],
  ConfigMap: ['configmaps', 'namespace'],
  CustomResourceDefinition: ['customresourcedefinitions', 'cluster'],
  Deployment: ['deployments', 'namespace'],
  EndpointSlice: ['endpointslices', 'namespace'],
  Namespace: ['namespaces', 'cluster'],
  PodDisruptionBudget: ['poddisruptionbudgets', 'namespace'],
  Role: ['roles', 'namespace'],
  RoleBinding: ['rolebindings', 'namespace'],
  Secret: ['secrets', 'namespace'],
  Service: ['services', 'namespace'],
  ServiceAccount: ['serviceaccounts', 'namespace'],
  ValidatingAdmissionPolicy: ['validatingadmissionpolicies', 'cluster'],
  ValidatingAdmissionPolicyBinding: ['validatingadmissionpolicybindings', 'cluster'],
  ValidatingWebhookConfiguration: ['validatingwebhookconfigurations', 'cluster'],
};

/** Where an object is to be. Throws `Internal` for a kind of which we make none. */
export function placeOf({ apiVersion = '', kind = '', metadata }: KubeObject): Place {
  const [plural, scope] = plurals[kind] ?? [];
  const { name = '', namespace } = metadata;
  if (plural === undefined || (scope === 'namespace') !== (namespace !== undefined)) {
    throw new SelvedgeError(`unexpected object ${kind} ${name}`, { code: 'Internal' });
  }
  return { apiVersion, kind, plural, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** The same for an object as a list has it, which does not say its kind. */
export function placeIn(
  { apiVersion, kind, plural }: Resource<KubeObject>,
  { metadata: { namespace, name = '' } }: KubeObject,
): Place {
  return { apiVersion, kind, plural, name, ...(namespace === undefined ? {} : { namespace }) };
}

export const resourceAt = ({ apiVersion, kind, plural, namespace }: Place): Resource<KubeObject> =>
  defineResource({ apiVersion, kind, plural, namespaced: namespace !== undefined });

export const refOf = ({ namespace, name }: Place): ObjectRef =>
  namespace === undefined ? { name } : { namespace, name };

/** `Deployment selvedge-system/cloud-manager`: for people, and a key. */
export const placeKey = ({ kind, namespace, name }: Place): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
