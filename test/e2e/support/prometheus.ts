import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bed, imageRefs } from '@selvedge/bed';
import { ensureAssets } from '@selvedge/hack/setup';
import { apply, deploy, fromMachine } from './cloud-clients.ts';

const monitoring = { namespace: 'monitoring' } as const;

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly addresses: readonly { readonly type: string; readonly address: string }[];
    readonly daemonEndpoints: { readonly kubeletEndpoint: { readonly Port: number } };
  };
}

/** The targets that `kubernetes_sd_configs` finds by the role `node`. Source: Prometheus, "Configuration". */
async function discovered(bed: Bed): Promise<string> {
  const { stdout } = await bed.kubectl(['get', 'nodes', '--output=json']);
  const { items } = JSON.parse(stdout) as { readonly items: readonly NodeObject[] };
  const targets = items.map(({ metadata, status }) => {
    const address = status.addresses.find(({ type }) => type === 'InternalIP')?.address ?? '';
    return {
      targets: [`${address}:${status.daemonEndpoints.kubeletEndpoint.Port}`],
      labels: { __meta_kubernetes_node_name: metadata.name },
    };
  });
  return JSON.stringify(targets);
}

/** Our configuration, but for how often it scrapes and, as Debian's Prometheus does not look into clusters, how nodes are found. */
async function prometheusConfig(): Promise<string> {
  const ours = await readFile(join(deploy, 'prometheus/kubelets.yaml'), 'utf8');
  const scrapes = ours
    .replaceAll('kubernetes_sd_configs', 'file_sd_configs')
    .replace('- role: node\n', '- files: [/config/nodes.json]\n');
  return `global: {scrape_interval: 2s, scrape_timeout: 2s}\n${scrapes}`;
}

/** Runs Debian's Prometheus on a node in the cloud; it scrapes the nodes of now. */
export async function startPrometheus(bed: Bed, node: string): Promise<void> {
  const { prometheus } = await ensureAssets({ binaries: ['prometheus'] });
  const data = { 'prometheus.yml': await prometheusConfig(), 'nodes.json': await discovered(bed) };
  const { volume, mount } = fromMachine(prometheus);
  const metadata = { name: 'prometheus', ...monitoring };
  const container = {
    name: 'prometheus',
    image: imageRefs.nginx,
    command: ['/program', '--config.file=/config/prometheus.yml', '--storage.tsdb.path=/tmp'],
    readinessProbe: { httpGet: { path: '/-/ready', port: 9_090 }, periodSeconds: 1 },
    volumeMounts: [mount, { name: 'config', mountPath: '/config' }],
  };
  const spec = {
    serviceAccountName: 'prometheus',
    nodeName: node,
    dnsConfig: { searches: ['nodes.selvedge'] },
    terminationGracePeriodSeconds: 1,
    volumes: [volume, { name: 'config', configMap: { name: 'prometheus' } }],
    containers: [container],
  };
  const items = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'monitoring' } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: { app: 'prometheus' }, ports: [{ port: 9_090 }] },
    },
    { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, labels: { app: 'prometheus' } }, spec },
  ];
  await bed.kubectl(['apply', '--server-side', `--filename=${join(deploy, 'prometheus/rbac.yaml')}`]);
  await apply(bed, items);
}
