import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ensureAssets } from '@selvedge/hack/setup';
import { resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HubCluster, account, namespace, nodeName, startHubCluster } from './hub-cluster.ts';
import { type HubProcess, createHubProcess } from './hub-process.ts';
import type { Said } from './kubectl.ts';

const { signal } = new AbortController();
const stack = new AsyncDisposableStack();

let cluster: HubCluster;
let hub: HubProcess;
let token: string;
let helm: (...args: readonly string[]) => Promise<Said>;

const chart: Readonly<Record<string, string>> = {
  'Chart.yaml': 'apiVersion: v2\nname: tiny\nversion: 1.2.3\n',
  'values.yaml': 'word: none\n',
  'templates/map.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {word: {{ .Values.word }}}\n',
};

async function writeChart(folder: string): Promise<void> {
  await mkdir(join(folder, 'templates'), { recursive: true });
  for (const [name, content] of Object.entries(chart)) await writeFile(join(folder, name), content);
}

/** The account of pods may do all, and one of the node's pods has a token of it in a volume. */
async function createTokenOfPod(): Promise<string> {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
  const subjects = [{ kind: 'ServiceAccount', namespace, name: account }];
  await cluster.admin.create(
    resources.clusterRoleBindings,
    { metadata: { name: account }, roleRef, subjects },
    { signal },
  );
  const sources = [{ serviceAccountToken: { path: 'token' } }];
  const volumes = [{ name: 'kube-api-access', projected: { sources } }];
  const containers = [{ name: 'main', image: 'main' }];
  const spec = { nodeName, serviceAccountName: account, containers, volumes };
  const pod = { metadata: { namespace, name: 'helm' }, spec };
  return cluster.requestToken(await cluster.admin.create(resources.pods, pod, { signal }));
}

beforeAll(async () => {
  const { helm: program } = await ensureAssets({ binaries: ['helm'] });
  const folder = await mkdtemp(join(tmpdir(), 'helm-'));
  stack.defer(() => rm(folder, { recursive: true }));
  await writeChart(join(folder, 'tiny'));
  cluster = stack.use(await startHubCluster());
  token = await createTokenOfPod();
  hub = stack.use(await createHubProcess(cluster));
  await hub.start();
  const kubeconfig = await hub.kubeconfig('helm', { token });
  helm = async (...args) => {
    const child = spawn(program, [`--kubeconfig=${kubeconfig}`, ...args], {
      cwd: folder,
      env: { ...process.env, HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    return { code, stdout, stderr };
  };
});
afterAll(() => stack.disposeAsync());

/** The first that comes. */
async function anyOf(body: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  for await (const chunk of body) return chunk;
  return undefined;
}

const expectRelease = async (): Promise<void> => {
  const list = await helm('list', '--all-namespaces');
  expect(list).toMatchObject({ code: 0 });
  expect(list.stdout).toMatch(/\nshop\s+default\s+2\s.*\sdeployed\s+tiny-1\.2\.3\s/);
  const manifest = await helm('get', 'manifest', 'shop');
  expect(manifest).toMatchObject({ code: 0 });
  expect(manifest.stdout).toContain('data: {word: second}');
  expect((await helm('history', 'shop')).stdout).toMatch(/\n1 .*superseded.*\n2 .*deployed/);
};

describe('helm at the hub, with the token of a pod', () => {
  test('installs, upgrades and reads a release', async () => {
    expect(await helm('install', 'shop', './tiny', '--set=word=first')).toMatchObject({ code: 0 });
    expect(await helm('upgrade', 'shop', './tiny', '--set=word=second')).toMatchObject({ code: 0 });
    const map = await cluster.admin.get(resources.configMaps, { namespace, name: 'shop' }, { signal });
    expect(map.data).toEqual({ word: 'second' });
    await expectRelease();
  });

  test('is not told that there is nothing while nobody there follows secrets and the cloud is away', async () => {
    await hub.cut();
    const said = await helm('list', '--all-namespaces');
    expect(said).toMatchObject({ code: 1, stdout: '' });
    expect(said.stderr).toMatch(/node edge is autonomous since \S+: secrets is not available/);
    await hub.heal();
  });

  test('reads it while the cloud is away once somebody there follows secrets, and cannot write', async () => {
    const path = '/api/v1/secrets?watch=true&resourceVersion=0';
    const followed = await hub.api({ token }).send({ path, signal: AbortSignal.timeout(60_000) });
    await anyOf(followed.body);
    await hub.cut();
    await expectRelease();
    const said = await helm('upgrade', 'shop', './tiny', '--set=word=third');
    expect(said).toMatchObject({ code: 1 });
    expect(said.stderr).toMatch(/is autonomous since/);
  });
});
