import { managerAdmission, managerNamespace } from '@selvedge/api';
import { type KubeClient, type KubeObject, type Resource, defineResource, resources } from '@selvedge/kube';
import { isManaged } from '../../changes/index.ts';
import { inventoryName, placeIn, placeKey } from '../inventory/index.ts';
import { isMarkedAsMade } from '../objects/metadata.ts';

/** What people keep in a namespace, and what runs there. */
const kinds: readonly Resource<KubeObject>[] = [
  resources.secrets,
  resources.configMaps,
  resources.services,
  resources.deployments,
  resources.statefulSets,
  resources.daemonSets,
  defineResource({ apiVersion: 'batch/v1', kind: 'Job', plural: 'jobs', namespaced: true }),
  defineResource({ apiVersion: 'batch/v1', kind: 'CronJob', plural: 'cronjobs', namespaced: true }),
  resources.pods,
  resources.persistentVolumeClaims,
];

/** Of cloud-manager and the installer, and what is put into every namespace: by Kubernetes, OpenShift and Istio. */
const known: readonly string[] = [
  `Secret ${managerNamespace}/${managerAdmission.secret}`,
  ...[inventoryName, 'kube-root-ca.crt', 'openshift-service-ca.crt', 'istio-ca-root-cert'].map(
    (name) => `ConfigMap ${managerNamespace}/${name}`,
  ),
];

const isOurs = (object: KubeObject): boolean => isMarkedAsMade(object) || isManaged(object);

/** What has an owner goes with it; what is on its way out is nobody's. */
const isOnItsOwn = ({ metadata }: KubeObject): boolean =>
  (metadata.ownerReferences ?? []).length === 0 && metadata.deletionTimestamp === undefined;

/** What is in the namespace of cloud-manager that we did not make, and that would go with it: `Secret selvedge-system/mine`. */
export async function strangersIn({
  cluster,
  signal,
}: {
  readonly cluster: Pick<KubeClient, 'listAll'>;
  readonly signal: AbortSignal;
}): Promise<readonly string[]> {
  const found = kinds.map(async (resource) => {
    const selection = { namespace: managerNamespace, metadataOnly: true, signal };
    const { items } = await cluster.listAll(resource, selection);
    const others = items.filter((one) => isOnItsOwn(one) && !isOurs(one));
    return others.map((one) => placeKey(placeIn(resource, one)));
  });
  return (await Promise.all(found)).flat().filter((key) => !known.includes(key));
}
