import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, ensureAssets } from '@selvedge/hack/setup';
import { type KubeObject, type Resource, resources } from '@selvedge/kube';
import type { ConfigMap } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type InformerLine, informerLines, informerPod } from './support/informer-pod.ts';
import { webServer, pod } from './support/pods.ts';
import { useSite } from './support/site.ts';

const wan = 'hub-clients';
const group = 'clients.selvedge.test';
const hubUrl = 'https://127.0.0.1:10270';
const rbac = 'rbac.authorization.k8s.io';
const nodes = [
  ['converted', 'clients-a'],
  ['lite', 'clients-b'],
] as const;
/** In the same LAN; it has no hub. */
const stranger = 'clients-c';
const site = useSite();

interface Thing extends KubeObject {
  readonly spec: { readonly value: string };
  readonly status?: { readonly seen?: string };
}
const things: Resource<Thing> = {
  apiVersion: `${group}/v1`,
  plural: 'things',
  kind: 'Thing',
  namespaced: true,
};

let programs: Awaited<ReturnType<typeof ensureAssets<'kube-informer' | 'kubectl'>>>;
let folder: string;

const apply = (...items: readonly object[]): Promise<unknown> =>
  site.bed.kubectl(
    [`--namespace=${site.namespace}`, 'apply', '--server-side', '--force-conflicts', '--filename=-'],
    {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    },
  );

const string = { type: 'string' };
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `things.${group}` },
  spec: {
    group,
    names: { kind: 'Thing', plural: 'things', singular: 'thing' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { value: string } },
              status: { type: 'object', properties: { seen: string } },
            },
          },
        },
      },
    ],
  },
};

const thing = (name: string, value: string): object => ({
  apiVersion: `${group}/v1`,
  kind: 'Thing',
  metadata: { namespace: site.namespace, name },
  spec: { value },
});

const grant = (name: string, rules: readonly object[]): readonly object[] => [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: site.namespace, name } },
  { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name: `${site.namespace}-${name}` }, rules },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: `${site.namespace}-${name}` },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: `${site.namespace}-${name}` },
    subjects: [{ kind: 'ServiceAccount', namespace: site.namespace, name }],
  },
];

const verbs = ['get', 'list', 'watch'];
/** May write the status of all but those of these names. */
const controllerRules = (...writable: readonly string[]): readonly object[] => [
  { apiGroups: [group], resources: ['things'], verbs },
  {
    apiGroups: [group],
    resources: ['things/status'],
    verbs: ['update'],
    ...(writable.length === 0 ? {} : { resourceNames: writable }),
  },
];
const discoveryRules = [
  { apiGroups: [''], resources: ['pods', 'services', 'nodes'], verbs },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs },
];
const everything = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
];

/** What the node's disk has of a container's log: the cloud is not asked. */
async function told(node: string, podName: string, container: string): Promise<readonly InformerLine[]> {
  const disk = join(site.bed.logs, '..', 'nodes', node);
  const places = [join(disk, 'pod-logs'), join(disk, 'root/var/log/pods')];
  const texts = await Promise.all(
    places.map(async (place) => {
      const names = await readdir(place).catch(() => []);
      const mine = names.find((name) => name.startsWith(`${site.namespace}_${podName}_`));
      const at = join(place, mine ?? '', container, '0.log');
      return mine === undefined ? '' : readFile(at, 'utf8').catch(() => '');
    }),
  );
  return informerLines(texts.join(''));
}

const toldSome = (
  [node, podName, container]: readonly [string, string, string],
  what: string,
  holds: (line: InformerLine) => boolean,
): Promise<InformerLine> =>
  site.until({ what: `${what}, told by ${container} of ${podName}` }, async () => {
    const lines = await told(node, podName, container);
    const found = lines.find(holds);
    if (found !== undefined) return found;
    throw new Error(`${lines.length} lines, the last one: ${JSON.stringify(lines.at(-1))?.slice(0, 500)}`);
  });

const keyOf = (name: string): string => `${site.namespace}/${name}`;

/** kubectl at the hub of the node, as whoever these flags say. */
function atHubArgv(node: string, flags: readonly string[]): readonly [string, ...string[]] {
  const ca = join(site.bed.logs, '..', 'nodes', node, 'root/var/lib/selvedge/pki/hub-ca.crt');
  const to = [`--server=${hubUrl}`, `--certificate-authority=${ca}`, `--cache-dir=${join(folder, node)}`];
  return [programs.kubectl, '--kubeconfig=/dev/null', ...to, ...flags];
}
const atHub = (node: string, flags: readonly string[], ...args: readonly string[]): Promise<CommandResult> =>
  site.bed.exec(node, [...atHubArgv(node, flags), '--request-timeout=20s', ...args]);

const asNode = (node: string): readonly string[] => {
  const pem = join(site.bed.logs, '..', 'nodes', node, 'root/var/lib/selvedge/pki/client.pem');
  return [`--client-certificate=${pem}`, `--client-key=${pem}`];
};

interface Status {
  readonly coverages: readonly {
    readonly resource: string;
    readonly namespace: string;
    readonly sponsor?: unknown;
  }[];
}
const statusOf = async (node: string): Promise<Status> =>
  JSON.parse((await atHub(node, asNode(node), 'get', '--raw=/selvedge/status')).stdout) as Status;

const seen = async (name: string): Promise<string | undefined> => (await site.get(things, name)).status?.seen;

const controllerOf = (node: string) => [node, `controller-${node}`, 'main'] as const;

beforeAll(async () => {
  programs = await ensureAssets({ binaries: ['kube-informer', 'kubectl'] });
  folder = await mkdtemp(join(tmpdir(), 'hub-clients-'));
  await site.bed.addSite({ name: wan });
  for (const [agent, name] of nodes) {
    await site.bed.addNode({ name, site: wan, agent, dns: agent === 'converted' });
  }
  await site.bed.addNode({ name: stranger, site: wan, agent: 'none' });
  // The API server reaches kubelets there only.
  await site.bed.addNode({ name: 'clients-cloud', site: 'cloud', agent: 'converted' });
  await apply(definition, ...grant('admin', everything), ...grant('discovery', discoveryRules));
  await site.bed.kubectl(['wait', '--for=condition=Established', `crd/things.${group}`, '--timeout=30s']);
});
afterAll(async () => {
  await site.bed.heal(wan);
  for (const name of [...nodes.map(([, one]) => one), stranger, 'clients-cloud'])
    await site.bed.removeNode(name);
  await site.bed.removeSite(wan);
  const roles = ['admin', 'discovery', 'controller'].map((name) => `${site.namespace}-${name}`);
  await site.bed.kubectl(['delete', 'clusterrole,clusterrolebinding', '--ignore-not-found', ...roles]);
  await site.bed.kubectl(['delete', 'crd', `things.${group}`, '--ignore-not-found']);
  await rm(folder, { recursive: true });
});

describe.each(nodes)('clients of the hub of a %s node', (_agent, node) => {
  const own = (name: string): string => `${name}-${node}`;

  it('runs a controller of a custom resource in a pod, with the token of that pod', async () => {
    await apply(...grant('controller', controllerRules(own('first'))), thing(own('first'), 'one'));
    const controller = informerPod({
      name: `controller-${node}`,
      node,
      serviceAccountName: 'controller',
      program: programs['kube-informer'],
      informers: {
        main: [`--group=${group}`, '--resource=things', `--namespace=${site.namespace}`, '--reconcile'],
      },
    });
    await site.create(resources.pods, controller);
    await toldSome(controllerOf(node), 'a filled cache', ({ type }) => type === 'synced');
    await site.until({ what: 'the status' }, async () => (await seen(own('first'))) === 'one');
    const { coverages } = await statusOf(node);
    expect(coverages.find(({ resource }) => resource === `${group}/v1/things`)).toMatchObject({
      namespace: site.namespace,
      sponsor: { kind: 'pod', namespace: site.namespace, serviceAccount: 'controller' },
    });
  });

  it('finds what Prometheus would', async () => {
    const discovery = informerPod({
      name: own('discovery'),
      node,
      serviceAccountName: 'discovery',
      program: programs['kube-informer'],
      informers: {
        pods: ['--resource=pods'],
        services: ['--resource=services'],
        nodes: ['--resource=nodes'],
        endpointslices: ['--resource=endpointslices', '--group=discovery.k8s.io'],
      },
    });
    await site.create(resources.pods, discovery);
    for (const container of ['pods', 'services', 'nodes', 'endpointslices']) {
      await toldSome([node, own('discovery'), container], 'a filled cache', ({ type }) => type === 'synced');
    }
    await toldSome([node, own('discovery'), 'nodes'], 'the node', ({ key }) => key === node);
    await toldSome(
      [node, own('discovery'), 'services'],
      'the API',
      ({ key }) => key === 'default/kubernetes',
    );
  });

  it("gives client-go what the hub's view makes of kube-root-ca.crt", async () => {
    const kubeconfig = join(folder, `${node}.kubeconfig`);
    const pki = join(site.bed.logs, '..', 'nodes', node, 'root/var/lib/selvedge/pki');
    const pem = join(pki, 'client.pem');
    const text = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'hub', cluster: { server: hubUrl, 'certificate-authority': join(pki, 'hub-ca.crt') } },
      ],
      users: [{ name: 'node', user: { 'client-certificate': pem, 'client-key': pem } }],
      contexts: [{ name: 'hub', context: { cluster: 'hub', user: 'node' } }],
      'current-context': 'hub',
    };
    await writeFile(kubeconfig, JSON.stringify(text));
    const only = [`--namespace=${site.namespace}`, '--fields=metadata.name=kube-root-ca.crt'];
    const informer = [programs['kube-informer'], `--kubeconfig=${kubeconfig}`, '--resource=configmaps'];
    // It ends when nobody reads what it says.
    const first = ['sh', '-c', '"$@" | head --lines=1', 'sh', ...informer, ...only] as const;
    const { stdout } = await site.bed.exec(node, first);
    const { object } = JSON.parse(stdout) as InformerLine;
    const { data }: ConfigMap = object ?? { metadata: {} };
    expect(data?.['ca.crt']).toContain((await readFile(join(pki, 'hub-ca.crt'), 'utf8')).trim());
  });

  it('keeps the caches and the watches of clients over a cut, and refuses their writes until the heal', async () => {
    await apply(thing(own('late'), 'one'));
    const at = controllerOf(node);
    const retried = (name: string, text: RegExp) => (line: InformerLine) =>
      line.type === 'retry' && line.key === keyOf(name) && text.test(line.message ?? '');
    await toldSome(at, 'a refusal', retried(own('late'), /forbidden/));
    await site.bed.cut(wan, 'refused');
    await toldSome(at, 'a 503', retried(own('late'), /is autonomous since \S+: update things/));
    await apply(thing(own('first'), 'two'), ...grant('controller', controllerRules()));
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: own('new') },
      spec: { ports: [{ port: 80 }] },
    };
    await apply({ ...service, metadata: { ...service.metadata, namespace: site.namespace } });
    await site.bed.heal(wan);
    await site.until(
      { what: 'both statuses' },
      async () => (await seen(own('first'))) === 'two' && (await seen(own('late'))) === 'one',
    );
    await toldSome(
      [node, own('discovery'), 'services'],
      'the new one',
      ({ key }) => key === keyOf(own('new')),
    );
    const containers = ['pods', 'services', 'nodes', 'endpointslices'];
    const all = await Promise.all([
      told(...at),
      ...containers.map((container) => told(node, own('discovery'), container)),
    ]);
    expect(all.flat().filter(({ type }) => type === 'relist' || type === 'failed')).toEqual([]);
  });
});

describe('the hub of a node', () => {
  const node = 'clients-cloud';
  const name = 'web';

  it('lets an administrator run, dial and read a pod through it', async () => {
    await site.create(resources.pods, pod({ name, node, containers: [webServer()] }));
    await site.pod(
      name,
      { what: 'ready' },
      ({ status }) =>
        status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true,
    );
    const create = [`--namespace=${site.namespace}`, 'create', 'token', 'admin'];
    const { stdout: token } = await site.bed.kubectl(create);
    const admin = [`--namespace=${site.namespace}`, `--token=${token.trim()}`];
    expect((await atHub(node, admin, 'exec', name, '--', '/agnhost', 'help')).stdout).toContain('Usage');
    const logs = await atHub(node, admin, 'logs', name);
    expect(logs.stdout).toContain('Started HTTP server');
    const pipe = join(folder, 'forward');
    const script = `mkfifo ${pipe} && { "$@" port-forward pod/${name} 18080:8080 > ${pipe} & } && exec 3< ${pipe} &&
      read -r forwarding <&3 && curl --silent --show-error http://127.0.0.1:18080/hostname; kill $!`;
    const forward = ['sh', '-c', script, 'sh', ...atHubArgv(node, admin)] as const;
    expect((await site.bed.exec(node, forward)).stdout).toBe(name);
  });

  it('serves nobody who comes over the network, on whatever address', async () => {
    const status = await site.bed.status();
    for (const [, one] of nodes) {
      const address = status.nodes.find((other) => other.name === one)?.address ?? '';
      await site.bed.exec(stranger, ['ip', 'route', 'replace', '169.254.77.1/32', 'via', address]);
      for (const to of [address, '169.254.77.1']) {
        const url = `https://${to}:10270/readyz`;
        const call = ['curl', '--silent', '--show-error', '--insecure', '--max-time', '5', url] as const;
        await expect(site.bed.exec(stranger, call)).rejects.toThrow(/connect to server|reset by peer/i);
      }
    }
  });
});
