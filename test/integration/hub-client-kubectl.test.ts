import { systemClock } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { type HubCluster, account, namespace, nodeName, startHubCluster } from './hub-cluster.ts';
import { type HubProcess, type Identity, createHubProcess } from './hub-process.ts';
import { type Said, type UserKubectl, createUserKubectl } from './kubectl.ts';

const { signal } = new AbortController();
const stack = new AsyncDisposableStack();
const own = `--field-selector=spec.nodeName=${nodeName}`;

let cluster: HubCluster;
let hub: HubProcess;
let kubelet: UserKubectl;
let operator: UserKubectl;
let stranger: UserKubectl;

const userOf = async (name: string, identity: Identity): Promise<UserKubectl> =>
  stack.use(await createUserKubectl(await hub.kubeconfig(name, identity)));

const personOf = async (commonName: string, ...organizations: readonly string[]): Promise<UserKubectl> =>
  userOf(commonName, await cluster.issue({ commonName, organizations, usages: ['client'] }));

/** The account of pods may do all in their namespace. */
async function bindAccount(): Promise<void> {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
  const subjects = [{ kind: 'ServiceAccount', namespace, name: account }];
  const binding = { metadata: { namespace, name: account }, roleRef, subjects };
  await cluster.admin.create(resources.roleBindings, binding, { signal });
}

beforeAll(async () => {
  cluster = stack.use(await startHubCluster());
  await bindAccount();
  await cluster.createPod('web', nodeName);
  await cluster.createPod('elsewhere', 'other');
  hub = stack.use(await createHubProcess(cluster));
  await hub.start();
  kubelet = await userOf('kubelet', hub.kubelet);
  operator = await personOf('jo', 'system:masters');
  stranger = await personOf('mallory', 'visitors');
});
afterAll(() => stack.disposeAsync());

const reads: readonly (readonly [title: string, args: readonly string[], shows: RegExp])[] = [
  ['get', ['get', 'pods', own], /^NAME +READY +STATUS +RESTARTS +AGE\nweb +0\/1 +Pending +0 +\S+\n$/],
  ['get -o wide', ['get', 'pods', own, '--output=wide'], /NOMINATED NODE.*\nweb .* edge +<none> +<none>\n$/],
  ['get of one', ['get', 'pod', 'web', '--output=name'], /^pod\/web\n$/],
  ['get of all namespaces', ['get', 'pods', '--all-namespaces', own], /^NAMESPACE .*\ndefault +web /],
  ['get of services', ['get', 'services'], /^NAME +TYPE +CLUSTER-IP .*\nkubernetes +ClusterIP /],
  ['get as YAML', ['get', 'node', nodeName, '--output=yaml'], /\nkind: Node\n/],
  ['describe of a pod', ['describe', 'pod', 'web'], /^Name: +web\nNamespace: +default\n(.*\n)*Node: +edge\//],
  [
    'describe of the node',
    ['describe', 'node', nodeName],
    /^Name: +edge\n(.*\n)*Non-terminated Pods: +\(1 in total\)/,
  ],
  [
    'api-resources',
    ['api-resources', '--api-group=apps'],
    /\ndeployments +deploy +apps\/v1 +true +Deployment\n/,
  ],
  ['explain', ['explain', 'pods.spec.nodeName'], /FIELD: nodeName <string>/],
  ['version', ['version'], /Server Version: v1\.36\.3/],
  ['get --raw', ['get', '--raw=/readyz'], /^ok$/],
];

const refused = (said: Said): Said => {
  expect(said).toMatchObject({ code: 1, stdout: '' });
  return said;
};

const map = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made', namespace } });

describe('kubectl at the hub while the cloud is there', () => {
  test.each(reads)('reads with the certificate of the node: %s', async (_title, args, shows) => {
    const { code, stdout, stderr } = await kubelet.run(args);
    expect(stdout + stderr).toMatch(shows);
    expect([code, stderr]).toEqual([0, '']);
  });

  test('writes as whose token it has', async () => {
    const pod = await cluster.createPod('writer', 'other');
    const token = await cluster.requestToken(pod);
    const user = await userOf('writer', { token });
    expect(await user.run(['apply', '--filename=-'], map)).toMatchObject({
      code: 0,
      stdout: 'configmap/made created\n',
    });
    expect(await user.run(['apply', '--server-side', '--filename=-'], map)).toMatchObject({ code: 0 });
    expect((await user.run(['label', 'configmap', 'made', 'a=b'])).stdout).toBe('configmap/made labeled\n');
    const made = await cluster.admin.get(resources.configMaps, { namespace, name: 'made' }, { signal });
    expect(made.metadata.labels).toEqual({ a: 'b' });
    expect((await user.run(['delete', 'configmap', 'made'])).stdout).toMatch(/^configmap "made" deleted/);
    expect(refused(await user.run(['get', 'nodes'])).stderr).toContain(
      'nodes is forbidden: User "system:serviceaccount:default:app" cannot list resource "nodes"',
    );
  });

  test('sends nobody’s view upstream with replace --force', async () => {
    const targetRef = { kind: 'Pod', namespace, name: 'web' };
    const endpoint = { addresses: ['10.0.0.1'], conditions: { ready: true }, nodeName, targetRef };
    const at = { namespace, name: 'web-1' };
    const metadata = { ...at, labels: { 'kubernetes.io/service-name': 'web' } };
    const slice = { metadata, addressType: 'IPv4', endpoints: [endpoint] };
    await cluster.admin.create(resources.endpointSlices, slice, { signal });
    const token = await cluster.requestToken(await cluster.createPod('replacer', 'other'));
    const user = await userOf('replacer', { token });
    const shown = await waitFor({ what: 'the hub to know the pod' }, systemClock, async () => {
      const { stdout } = await user.run(['get', 'endpointslice', at.name, '--output=json']);
      return /"ready": false/.test(stdout) && stdout;
    });
    const said = await user.run(['replace', '--force', '--filename=-'], shown);
    expect(said.stdout).toMatch(/web-1" deleted.*\n.*web-1 replaced\n$/);
    const { endpoints } = await cluster.admin.get(resources.endpointSlices, at, { signal });
    expect(endpoints).toEqual([endpoint]);
  });

  test('is told where operators go, and that others are nobody here', async () => {
    const { stderr } = refused(await operator.run(['get', '--raw=/api/v1/namespaces/default/pods']));
    expect(stderr).toMatch(
      /Forbidden.*operators read here only while the cloud is away: use the API server directly/,
    );
    const upgrade = refused(await operator.run(['exec', 'web', '--', 'true']));
    expect(upgrade.stderr).toMatch(/forbidden/i);
    const other = refused(await stranger.run(['get', '--raw=/api/v1/namespaces/default/pods']));
    expect(other.stderr).toMatch(/Forbidden.*the hub of node edge does not serve the certificate of mallory/);
  });
});

const aged =
  /^Warning: node edge is autonomous since \d{4}-.*Z: this may be older than what the cluster has\n/gm;

describe('kubectl at the hub while the cloud is away', () => {
  beforeAll(() => hub.cut());

  test.each(reads)('reads with the certificate of the node: %s', async (_title, args, shows) => {
    const { code, stdout, stderr } = await kubelet.run(args);
    expect(stdout).toMatch(shows);
    expect(code).toBe(0);
    expect(stderr.replaceAll(aged, '')).toBe('');
  });

  test('reads with the certificate of an operator, and says how old it may be', async () => {
    const { code, stdout, stderr } = await operator.run([
      'get',
      'pods',
      '--all-namespaces',
      own,
      '--output=wide',
    ]);
    expect(stdout).toMatch(/\ndefault +web .* edge /);
    expect(stderr.replaceAll(aged, '')).toBe('');
    expect(stderr).not.toBe('');
    expect(code).toBe(0);
    const described = await operator.run(['describe', 'pod', 'web']);
    expect(described.stdout).toMatch(/^Name: +web\n/);
  });

  test('says to an operator that he may not write, and why', async () => {
    for (const args of [
      ['apply', '--server-side', '--filename=-'],
      ['create', '--filename=-'],
      ['delete', 'pod', 'web'],
      ['label', 'pod', 'web', 'a=b'],
    ]) {
      const { stderr } = refused(await operator.run(args, map));
      expect(stderr).toMatch(/forbidden.*operators may only read while the cloud is away/i);
    }
  });

  test('says to the node what is not to be had, and since when', async () => {
    const { stderr } = refused(await kubelet.run(['create', '--filename=-'], map));
    expect(stderr).toMatch(/node edge is autonomous since \S+: create configmaps .*is not available/);
    const logs = refused(await kubelet.run(['logs', 'web']));
    expect(logs.stderr).toMatch(/this node is autonomous since \S+: no API server can be reached/);
    const exec = refused(await kubelet.run(['exec', 'web', '--', 'true']));
    expect(exec.stderr).toMatch(/node is autonomous since/);
  });

  test('is nobody with another certificate', async () => {
    const { stderr } = refused(await stranger.run(['get', '--raw=/api/v1/namespaces/default/pods']));
    expect(stderr).toMatch(/Forbidden.*the hub of node edge does not serve the certificate of mallory/);
  });
});
