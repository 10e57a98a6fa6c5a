import { systemClock } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import type { ConfigMap } from '@selvedge/kube/types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../bed/free-port.ts';
import { waitFor } from '../bed/wait.ts';
import { bytesOf } from '../contract/read-api-client.ts';
import { type HubCluster, nodeName, startHubCluster } from './hub-cluster.ts';
import { type HubProcess, createHubProcess } from './hub-process.ts';

const { signal } = new AbortController();
const stack = new AsyncDisposableStack();
const namespace = 'kube-system';
const name = 'kube-proxy';
const server = 'https://203.0.113.9:6443';

/** As kubeadm writes it. Source: kubernetes/cmd/kubeadm/app/phases/addons/proxy. */
const kubeconfig = `apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
    server: ${server}
  name: default
contexts:
- context:
    cluster: default
    namespace: default
    user: default
  name: default
current-context: default
users:
- name: default
  user:
    tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token`;

let cluster: HubCluster;
let hub: HubProcess;
let port = 0;

/** kube-proxy's pod on the node; nothing runs it. */
async function createProxy(): Promise<void> {
  const metadata = { namespace, name };
  const data = { 'config.conf': 'mode: nftables', 'kubeconfig.conf': kubeconfig };
  await cluster.admin.create(resources.configMaps, { metadata, data }, { signal });
  await cluster.admin.create(resources.serviceAccounts, { metadata }, { signal });
  const spec = {
    nodeName,
    serviceAccountName: name,
    containers: [{ name, image: name }],
    volumes: [{ name, configMap: { name } }],
  };
  await cluster.admin.create(
    resources.pods,
    { metadata: { namespace, name: `${name}-x` }, spec },
    { signal },
  );
}

async function read(query: string, path = ''): Promise<string> {
  const asked = `/api/v1/namespaces/${namespace}/configmaps${path}${query}`;
  const answer = await hub.api(hub.kubelet).send({ path: asked, signal });
  const text = (await bytesOf(answer)).toString();
  expect([answer.status, text]).toEqual([200, expect.any(String)]);
  return text;
}

const one = `fieldSelector=metadata.name%3D${name}`;
/** As the kubelet asks, and as people do. */
const reads: Readonly<Record<string, () => Promise<ConfigMap | undefined>>> = {
  get: async () => JSON.parse(await read('', `/${name}`)),
  list: async () => JSON.parse(await read(`?${one}&resourceVersion=0`)).items[0],
  watch: async () => {
    const [first = ''] = (await read(`?${one}&watch=true&resourceVersion=0&timeoutSeconds=1`)).split('\n');
    return JSON.parse(first).object;
  },
};

const led = (shown: ConfigMap | undefined): unknown => shown?.data?.['kubeconfig.conf'];

beforeAll(async () => {
  cluster = stack.use(await startHubCluster());
  await createProxy();
  port = await freePort();
  const settings = { port, address: '169.254.77.9', kubeProxyConfigMap: `${namespace}/${name}` };
  hub = stack.use(await createHubProcess(cluster, { hub: settings }));
  await hub.start();
});
afterAll(async () => {
  // In peace, so that it takes its address away.
  await hub.stop();
  await stack.disposeAsync();
});

test('kube-proxy of this node is led to the hub, however its config is read, and the cluster’s stays', async () => {
  const wanted = kubeconfig.replace(server, `https://127.0.0.1:${port}`);
  // The API server lets a node read what its pods use once it knows of them.
  await waitFor(
    { what: 'the node to be let' },
    systemClock,
    async () => led(await reads['get']?.()) === wanted,
  );
  for (const [how, ask] of Object.entries(reads)) expect([how, led(await ask())]).toEqual([how, wanted]);
  const upstream = await cluster.admin.get(resources.configMaps, { namespace, name }, { signal });
  expect(led(upstream)).toBe(kubeconfig);
  await hub.cut();
  for (const [how, ask] of Object.entries(reads)) expect([how, led(await ask())]).toEqual([how, wanted]);
});
