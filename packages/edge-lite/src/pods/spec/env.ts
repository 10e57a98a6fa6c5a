import { KeyValue, message } from '@selvedge/containerd-grpc-types';
import { SelvedgeError } from '@selvedge/kit';
import type { Container, EnvFromSource, EnvVarSource, Pod, Service } from '@selvedge/kube/types';

import type { ObjectSource } from '../ports.ts';
import { expand } from './expand.ts';
import { metadataField, resourceField } from './field-value.ts';
import { findConfigMap, findSecret } from './find-object.ts';
import { podRef } from './identity.ts';
import type { ResourceList } from './node-facts.ts';
import { serviceVariables } from './service-env.ts';

export interface EnvInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
  /** What the node can give to pods: the default of limits. */
  readonly allocatable: ResourceList;
  readonly objects: Pick<ObjectSource, 'get' | 'list' | 'synced'>;
}

/** `undefined`: an optional source that is absent; the variable is left out. */
type Value = string | undefined;

const fromBase64 = (value: string): string => Buffer.from(value, 'base64').toString();

function configMapKey(input: EnvInput, source: EnvVarSource): Value {
  const { name = '', key = '', optional = false } = source.configMapKeyRef ?? {};
  const { namespace } = podRef(input.pod);
  const value = findConfigMap(input.objects, { namespace, name, optional })?.data?.[key];
  if (value !== undefined || optional) return value;
  throw new SelvedgeError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`, { code: 'NotFound' });
}

function secretKey(input: EnvInput, source: EnvVarSource): Value {
  const { name = '', key = '', optional = false } = source.secretKeyRef ?? {};
  const { namespace } = podRef(input.pod);
  const value = findSecret(input.objects, { namespace, name, optional })?.data?.[key];
  if (value !== undefined) return fromBase64(value);
  if (optional) return undefined;
  throw new SelvedgeError(`couldn't find key ${key} in Secret ${namespace}/${name}`, { code: 'NotFound' });
}

/** The fields that are not metadata. */
const fields: Readonly<Record<string, (input: EnvInput) => Value>> = {
  'spec.nodeName': ({ pod }) => pod.spec?.nodeName,
  'spec.serviceAccountName': ({ pod }) => pod.spec?.serviceAccountName,
  'status.hostIP': ({ hostIPs }) => hostIPs[0],
  'status.hostIPs': ({ hostIPs }) => hostIPs.join(','),
  'status.podIP': ({ podIPs }) => podIPs[0],
  'status.podIPs': ({ podIPs }) => podIPs.join(','),
};

function field(input: EnvInput, path: string): string {
  const read = fields[path];
  return read === undefined ? metadataField(input.pod, path) : (read(input) ?? '');
}

function fromSource(input: EnvInput, source: EnvVarSource): Value {
  if (source.fieldRef !== undefined) return field(input, source.fieldRef.fieldPath);
  if (source.resourceFieldRef !== undefined) {
    return resourceField({ ...input, selector: source.resourceFieldRef });
  }
  if (source.configMapKeyRef !== undefined) return configMapKey(input, source);
  return source.secretKeyRef === undefined ? '' : secretKey(input, source);
}

function bulk(input: EnvInput, source: EnvFromSource): ReadonlyMap<string, string> {
  const { namespace } = podRef(input.pod);
  const prefix = source.prefix ?? '';
  const query = (ref: { readonly name?: string | undefined; readonly optional?: boolean | undefined }) => ({
    namespace,
    name: ref.name ?? '',
    optional: ref.optional ?? false,
  });
  if (source.configMapRef !== undefined) {
    const data = findConfigMap(input.objects, query(source.configMapRef))?.data ?? {};
    return new Map(Object.entries(data).map(([key, value]) => [prefix + key, value]));
  }
  if (source.secretRef === undefined) return new Map();
  const data = findSecret(input.objects, query(source.secretRef))?.data ?? {};
  return new Map(Object.entries(data).map(([key, value]) => [prefix + key, fromBase64(value)]));
}

function services({ pod, objects }: EnvInput): ReadonlyMap<string, string> {
  if (!objects.synced('services')) {
    const text = 'services have not yet been read at least once, cannot construct envvars';
    throw new SelvedgeError(text, { code: 'Unavailable' });
  }
  const { namespace } = podRef(pod);
  const links = pod.spec?.enableServiceLinks ?? true;
  const master = objects.get<Service>({ resource: 'services', namespace: 'default', name: 'kubernetes' });
  const own = links ? objects.list('services', namespace) : [];
  const known = master.kind === 'present' ? [...own, master.object] : own;
  return serviceVariables(known, { namespace, links });
}

/**
 * A container's environment: `envFrom`, then `env` in its order, then service variables that nothing overrides.
 * Throws with the kubelet's words for `CreateContainerConfigError`: `NotFound`, `Unavailable` (not known yet), `Invalid`.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables
 */
export function resolveEnv(input: EnvInput): readonly KeyValue[] {
  const fromServices = services(input);
  const variables = new Map<string, string>();
  for (const source of input.container.envFrom ?? []) {
    for (const [name, value] of bulk(input, source)) variables.set(name, value);
  }
  const known = (name: string): Value => variables.get(name) ?? fromServices.get(name);
  for (const { name, value = '', valueFrom } of input.container.env ?? []) {
    const plain = value !== '' || valueFrom === undefined;
    const resolved = plain ? expand(value, known) : fromSource(input, valueFrom);
    if (resolved !== undefined) variables.set(name, resolved);
  }
  return [...new Map([...fromServices, ...variables])].map(([key, value]) =>
    message(KeyValue, { key, value: Buffer.from(value) }),
  );
}
