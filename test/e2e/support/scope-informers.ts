import { ensureAssets } from '@selvedge/hack/setup';
import type { KubeObject } from '@selvedge/kube';
import { resources } from '@selvedge/kube';
import { containerLog } from './container-log.ts';
import { informerLines, informerPod } from './informer-pod.ts';
import type { Site } from './site.ts';

const reader = 'reader';
const rbac = 'rbac.authorization.k8s.io';
const verbs = ['get', 'list', 'watch'];

/** May read what leads to the pods of the namespace, as an ingress controller does. */
const rights = ({ namespace }: Site): readonly object[] => [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: reader } },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'Role',
    metadata: { name: reader },
    rules: [
      { apiGroups: [''], resources: ['endpoints'], verbs },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs },
    ],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: { name: reader },
    roleRef: { apiGroup: rbac, kind: 'Role', name: reader },
    subjects: [{ kind: 'ServiceAccount', name: reader, namespace }],
  },
];

const pod = 'informers';

/** Creates objects in the test's namespace. */
export const createAll = (site: Site, items: readonly object[]): Promise<unknown> =>
  site.bed.kubectl([`--namespace=${site.namespace}`, 'create', '--filename=-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });

/** Creates a pod of client-go informers of EndpointSlices and Endpoints on the node. Resolves with the token of their account. */
export async function startInformers(site: Site, node: string): Promise<string> {
  const { 'kube-informer': program } = await ensureAssets({ binaries: ['kube-informer'] });
  await createAll(site, rights(site));
  const inNamespace = `--namespace=${site.namespace}`;
  const informers = {
    slices: ['--group=discovery.k8s.io', '--resource=endpointslices', inNamespace],
    endpoints: ['--resource=endpoints', inNamespace],
  };
  const options = { name: pod, node, serviceAccountName: reader, program, informers };
  await site.create(resources.pods, informerPod(options));
  await site.until({ what: 'filled caches' }, async () => {
    const lines = await Promise.all(
      Object.keys(informers).map((container) => linesOf(site, node, container)),
    );
    return lines.every((all) => all.some(({ type }) => type === 'synced'));
  });
  return (await site.bed.kubectl([inNamespace, 'create', 'token', reader])).stdout.trim();
}

const linesOf = async (
  site: Site,
  node: string,
  container: string,
): Promise<ReturnType<typeof informerLines>> =>
  informerLines(await containerLog(site, node, { pod, container }));

/** All that they were ever given of a Service. */
export async function informedOf(site: Site, node: string, service: string): Promise<readonly KubeObject[]> {
  const lines = await Promise.all(['slices', 'endpoints'].map((container) => linesOf(site, node, container)));
  return lines.flat().flatMap(({ object }) => {
    const isOf = object?.metadata.labels?.['kubernetes.io/service-name'] === service;
    return object !== undefined && (isOf || object.metadata.name === service) ? [object] : [];
  });
}
