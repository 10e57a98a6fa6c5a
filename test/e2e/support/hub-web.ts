import { imageRefs } from '@selvedge/bed';
import { resources } from '@selvedge/kube';
import type { EndpointSlice, Pod } from '@selvedge/kube/types';
import { type HubSite, askHub, podsAtHub } from './hub-site.ts';
import { isReady } from './pods.ts';
import type { Site } from './site.ts';

/** The Deployment's name, and the Service's. */
export const webApp = 'web';
const port = 8080;

/** Pods on both nodes with files from a config map and a secret, and the Service that leads to them. */
function webManifests({ nodes }: HubSite): readonly object[] {
  const labels = { app: webApp };
  const spread = { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' };
  const onNodes = { key: 'kubernetes.io/hostname', operator: 'In', values: nodes };
  const terms = [{ matchExpressions: [onNodes] }];
  const container = {
    name: 'main',
    image: imageRefs.agnhost,
    args: ['netexec', `--http-port=${port}`],
    readinessProbe: { httpGet: { path: '/hostname', port }, periodSeconds: 1 },
    volumeMounts: [
      { name: 'settings', mountPath: '/settings' },
      { name: 'key', mountPath: '/key' },
    ],
  };
  const spec = {
    terminationGracePeriodSeconds: 1,
    tolerations: [{ operator: 'Exists' }],
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
    },
    topologySpreadConstraints: [{ ...spread, labelSelector: { matchLabels: labels } }],
    containers: [container],
    volumes: [
      { name: 'settings', configMap: { name: 'settings' } },
      { name: 'key', secret: { secretName: 'key' } },
    ],
  };
  const metadata = { name: webApp };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { round: '0' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' }, stringData: { key: 'k' } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas: 4, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ port: 80, targetPort: port }] },
    },
  ];
}

/** The Deployment's pods, as the API server knows them, by name. */
export async function webPods({ client, namespace, signal }: Site): Promise<readonly Pod[]> {
  const { items } = await client.listAll(resources.pods, {
    namespace,
    labelSelector: `app=${webApp}`,
    signal,
  });
  return items.toSorted((a, b) => (a.metadata.name ?? '').localeCompare(b.metadata.name ?? ''));
}

/** Resolves with the Deployment's pods once all are ready. */
export async function deployWeb(hub: HubSite): Promise<readonly Pod[]> {
  const { site } = hub;
  const list = { apiVersion: 'v1', kind: 'List', items: webManifests(hub) };
  const args = [`--namespace=${site.namespace}`, 'create', '--filename=-'];
  await site.bed.kubectl(args, { input: JSON.stringify(list), signal: site.signal });
  return site.until({ what: 'four ready pods' }, async () => {
    const pods = await webPods(site);
    return pods.length === 4 && pods.every(isReady) && pods;
  });
}

const webName = ({ namespace }: Site): string => `${webApp}.${namespace}.svc.cluster.local`;

/** Asks the node's own CoreDNS for the Service's address. */
async function resolve(site: Site, node: string): Promise<string> {
  const { nodes } = await site.bed.status();
  const address = nodes.find(({ name }) => name === node)?.address ?? '';
  const { stdout } = await site.bed.exec(node, ['busybox', 'nslookup', webName(site), address]);
  const [found] = stdout.match(/\b10\.96\.\d+\.\d+/) ?? [];
  if (found === undefined) throw new Error(`no address in ${stdout}`);
  return found;
}

async function fetchFrom(site: Site, node: string, address: string): Promise<string> {
  const wget = ['busybox', 'wget', '-qO-', `http://${address}/hostname`] as const;
  return (await site.bed.exec(node, ['timeout', '5', ...wget])).stdout.trim();
}

/** Throws while a node's hub leads the Service to other addresses of this node than its pods have. */
async function checkEndpoints(site: Site, node: string, web: readonly Pod[]): Promise<void> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${site.namespace}/endpointslices?resourceVersion=0`;
  const { items } = JSON.parse(await askHub(site, node, path)) as {
    readonly items: readonly EndpointSlice[];
  };
  const here = items
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === webApp)
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ nodeName, conditions }) => nodeName === node && conditions?.ready === true);
  const [found, wanted] = [
    here.flatMap(({ addresses }) => addresses),
    web.map(({ status }) => status?.podIP ?? ''),
  ];
  if (found.toSorted().join() !== wanted.toSorted().join())
    throw new Error(`endpoints ${found.join()} on ${node}, pods ${wanted.join()}`);
}

/** Each node reaches each pod by its address, and some pod by the Service's name; its own pods are endpoints. */
async function answers({ site, nodes }: HubSite): Promise<true> {
  const pods = (await Promise.all(nodes.map((node) => podsAtHub(site, node)))).flat();
  const web = pods.filter(({ metadata }) => metadata.labels?.['app'] === webApp);
  if (web.length < 4) throw new Error(`${web.length} pods are known`);
  for (const node of nodes) {
    for (const { metadata, status } of web) {
      const answer = await fetchFrom(site, node, `${status?.podIP ?? ''}:${port}`);
      if (answer !== metadata.name) throw new Error(`${answer} answered for ${metadata.name ?? ''}`);
    }
    await fetchFrom(site, node, await resolve(site, node));
    await checkEndpoints(
      site,
      node,
      web.filter(({ spec }) => spec?.nodeName === node),
    );
  }
  return true;
}

/** Resolves once every pod answers inside the site, and the Service by its name. */
export async function siteAnswers(hub: HubSite, timeoutMs?: number): Promise<void> {
  const patience = timeoutMs === undefined ? {} : { timeoutMs };
  await hub.site.until({ what: 'all pods answer inside the site', everyMs: 250, ...patience }, () =>
    answers(hub),
  );
}
