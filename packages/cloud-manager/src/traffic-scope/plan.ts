import { parseTraffic, trafficAnnotations } from '@selvedge/api';
import type { KubeObject } from '@selvedge/kube';

/** The field manager that has the annotations which a Service got from its namespace, and no others. */
export const fieldManager = 'selvedge-traffic-scope';

type Annotations = Readonly<Record<string, string>>;

const keys = Object.values(trafficAnnotations);

const only = (annotations: Annotations | undefined, wanted: Iterable<string>): Annotations => {
  const found = Array.from(wanted, (key) => [key, annotations?.[key]] as const);
  return Object.fromEntries(
    found.filter((entry): entry is readonly [string, string] => entry[1] !== undefined),
  );
};

/** Those of traffic. */
const trafficOf = ({ metadata }: KubeObject): Annotations => only(metadata.annotations, keys);

type ManagedFields = NonNullable<KubeObject['metadata']['managedFields']>[number];

/** The annotations of traffic that an entry has. Source: `meta/v1` FieldsV1. */
function keysIn({ fieldsV1 }: ManagedFields): readonly string[] {
  const annotations = (fieldsV1 as Fields | undefined)?.['f:metadata']?.['f:annotations'] ?? {};
  return keys.filter((key) => Object.hasOwn(annotations, `f:${key}`));
}

/** The annotations of traffic that this field manager has, and no other. */
function inheritedKeys({ metadata }: KubeObject): readonly string[] {
  const entries = metadata.managedFields ?? [];
  const of = (isOurs: boolean): readonly string[] =>
    entries.filter(({ manager }) => (manager === fieldManager) === isOurs).flatMap(keysIn);
  const others = of(false);
  return of(true).filter((key) => !others.includes(key));
}

interface Fields {
  readonly 'f:metadata'?: { readonly 'f:annotations'?: Readonly<Record<string, unknown>> };
}

/** The Service of the API server: its traffic is never closed. */
const isApiServer = ({ metadata }: KubeObject): boolean =>
  metadata.namespace === 'default' && metadata.name === 'kubernetes';

/** What the namespace says; undefined: in words that mean nothing. */
const defaultOf = (namespace: KubeObject | undefined): Annotations | undefined => {
  const traffic = namespace === undefined ? {} : trafficOf(namespace);
  return parseTraffic(traffic) === undefined ? undefined : traffic;
};

/**
 * What the Service is to have from its namespace: of either annotation the namespace's, unless somebody gave the Service one
 * of its own. undefined: it is so already, or nobody can tell: who wrote words that mean nothing wanted less than everything,
 * and to take away what there is would open the Service. Pure.
 */
export function planInheritance(
  service: KubeObject,
  namespace: KubeObject | undefined,
): Annotations | undefined {
  const said = isApiServer(service) ? {} : defaultOf(namespace);
  if (said === undefined) return undefined;
  const has = trafficOf(service);
  const inherited = inheritedKeys(service);
  const isOpen = (key: string): boolean => !Object.hasOwn(has, key) || inherited.includes(key);
  const wanted = only(said, keys.filter(isOpen));
  const isSo =
    inherited.every((key) => Object.hasOwn(wanted, key)) &&
    Object.entries(wanted).every(([key, value]) => has[key] === value && inherited.includes(key));
  return isSo ? undefined : wanted;
}

/** As much of a Service or Namespace as is read here. */
export function keptTraffic({ metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, managedFields } = metadata;
  return {
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      annotations: trafficOf({ metadata }),
      managedFields: managedFields?.filter((entry) => keysIn(entry).length > 0),
    },
  };
}
