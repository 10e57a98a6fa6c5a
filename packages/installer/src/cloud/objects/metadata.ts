import { managerNamespace } from '@selvedge/api';
import type { KubeObject } from '@selvedge/kube';
import { chart } from '../gen/sources.ts';

/** Of cloud-manager: its Deployment, and its Service. */
export const managerAt = { namespace: managerNamespace, name: 'cloud-manager' } as const;
/** Its Service inside the cluster, and what servers ask each other for: their certificates are for it. */
export const managerHost = `${managerAt.name}.${managerAt.namespace}.svc`;

/** What selects the pods of cloud-manager. */
export const selector = { 'app.kubernetes.io/name': 'cloud-manager' } as const;
export const podSelector = 'app.kubernetes.io/name=cloud-manager';
export const partOf = { 'app.kubernetes.io/part-of': 'selvedge' } as const;

/** On objects that the installer made and that were not there before: taken away with them. */
const madeAnnotation = 'selvedge.io/made-by-installer';

/**
 * What makes a later `helm upgrade --install selvedge` take an object over. Source: Helm, "Resources are adopted into a
 * release" (helm install, --take-ownership).
 */
const owned = {
  labels: { 'app.kubernetes.io/managed-by': 'Helm' },
  annotations: {
    'meta.helm.sh/release-name': 'selvedge',
    'meta.helm.sh/release-namespace': managerNamespace,
  },
} as const;

/** Fields of an object beside what every object has. */
export interface ObjectParts {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly fields: object;
}

/** An object in our namespace. */
export function ownObject({ apiVersion, kind, name, fields, ...metadata }: ObjectParts): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: managerNamespace, ...metadata }, ...fields };
}

/** An object of the chart in our namespace, with the labels that it has there. */
export function chartObject(parts: Omit<ObjectParts, 'labels'>): KubeObject {
  const labels = {
    ...selector,
    ...partOf,
    'app.kubernetes.io/version': chart.appVersion,
    'app.kubernetes.io/managed-by': 'Helm',
    'helm.sh/chart': `selvedge-${chart.version.replaceAll('+', '_')}`,
  };
  return ownObject({ ...parts, labels });
}

function withMetadata(object: KubeObject, more: Pick<ObjectParts, 'labels' | 'annotations'>): KubeObject {
  const { labels, annotations } = object.metadata;
  const metadata = {
    ...object.metadata,
    ...(more.labels === undefined ? {} : { labels: { ...labels, ...more.labels } }),
    ...(more.annotations === undefined ? {} : { annotations: { ...annotations, ...more.annotations } }),
  };
  return { ...object, metadata };
}

/** One that helm can take over. */
export const adoptable = (object: KubeObject): KubeObject => withMetadata(object, owned);
/** One that outlives the release. Source: Helm, "Tell Helm Not To Uninstall a Resource". */
export const kept = (object: KubeObject): KubeObject =>
  withMetadata(object, { annotations: { 'helm.sh/resource-policy': 'keep' } });
export const markedAsMade = (object: KubeObject): KubeObject =>
  withMetadata(object, { annotations: { [madeAnnotation]: 'true' } });
export const isMarkedAsMade = ({ metadata }: KubeObject): boolean =>
  metadata.annotations?.[madeAnnotation] === 'true';
