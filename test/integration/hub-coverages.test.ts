import { hasCode, systemClock } from '@selvedge/kit';
import { type KubeObject, defineResource, resources } from '@selvedge/kube';
import type { ConfigMap, Pod, RoleBinding } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CoverageHold } from '../../packages/edge-lite/src/hub/coverages/types.ts';
import type { CoverageSpec } from '../../packages/edge-lite/src/hub/replica/types.ts';
import type { Caller } from '../../packages/edge-lite/src/hub/request.ts';
import { waitFor } from '../bed/wait.ts';
import { type Audit, type AuditEvent, createAudit } from './hub-audit.ts';
import { type HubCluster, account, namespace, nodeName, startHubCluster } from './hub-cluster.ts';
import { type HubRun, createHubNode } from './hub-node.ts';

const { signal } = new AbortController();
const { configMaps, namespaces } = resources;

let audit: Audit;
let cluster: HubCluster;

beforeAll(async () => {
  audit = await createAudit();
  cluster = await startHubCluster({ apiServerFlags: audit.flags });
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await audit[Symbol.asyncDispose]();
});

const node: Caller = {
  kind: 'node',
  user: { username: `system:node:${nodeName}`, groups: ['system:nodes', 'system:authenticated'] },
};
const callerOf = (serviceAccount: string): Caller => ({
  kind: 'token',
  user: {
    username: `system:serviceaccount:${namespace}:${serviceAccount}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  },
  token: 'not used here',
  pod: undefined,
});
const everything = { namespace: '', labelSelector: '', fieldSelector: '' };
const pods: CoverageSpec = {
  ...everything,
  resource: 'v1/pods',
  fieldSelector: `spec.nodeName=${nodeName}`,
};
const services: CoverageSpec = { ...everything, resource: 'v1/services' };

const eventually = <T>(what: string, look: () => T | undefined | false): Promise<T> =>
  waitFor({ what }, systemClock, async () => look());

function shown(run: HubRun, resource: string, at: { readonly namespace: string; readonly name: string }) {
  const found = run.replica.reader(resource).get(at);
  return found === undefined ? undefined : (JSON.parse(found.json) as KubeObject);
}

async function joined(run: HubRun, spec: CoverageSpec, caller: Caller): Promise<CoverageHold> {
  const hold = await run.coverages.join({ spec, caller }, signal);
  await hold.coverage.whenLive(signal);
  return hold;
}

const isList = ({ verb, requestURI }: AuditEvent): boolean =>
  (verb === 'list' && !requestURI.includes('limit=1')) || requestURI.includes('sendInitialEvents=true');

/** Whoever has the account may read the config maps and services of a namespace of its own. */
async function createReaders(
  name: string,
  accounts: readonly string[],
  verbs: readonly string[] = ['get', 'list', 'watch'],
): Promise<readonly RoleBinding[]> {
  await cluster.admin.create(namespaces, { metadata: { name } }, { signal });
  const rules = [{ apiGroups: [''], resources: ['configmaps', 'services'], verbs: [...verbs] }];
  await cluster.admin.create(
    resources.roles,
    { metadata: { namespace: name, name: 'reader' }, rules },
    { signal },
  );
  const bindings = accounts.map((one) =>
    cluster.admin.create(
      resources.roleBindings,
      {
        metadata: { namespace: name, name: one },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
        subjects: [{ kind: 'ServiceAccount', namespace, name: one }],
      },
      { signal },
    ),
  );
  return Promise.all(bindings);
}

const takeRight = ({ metadata }: RoleBinding): Promise<void> =>
  cluster.admin.delete(
    resources.roleBindings,
    { namespace: metadata.namespace, name: metadata.name ?? '' },
    { signal },
  );

/** One that has a token of the API server's own audience in a volume, as pods have unless they do not want it. */
async function podOf(name: string, serviceAccountName: string): Promise<Pod> {
  const sources = [{ serviceAccountToken: { path: 'token' } }];
  const volumes = [{ name: 'kube-api-access', projected: { sources } }];
  const spec = { nodeName, serviceAccountName, containers: [{ name: 'main', image: 'main' }], volumes };
  return cluster.admin.create(resources.pods, { metadata: { namespace, name }, spec }, { signal });
}

describe('after a restart', () => {
  test('every coverage goes on without a list, and nothing is missed', async () => {
    const userAgent = 'resuming';
    await using world = await createHubNode(cluster, { userAgent });
    const before = await world.start();
    await cluster.createPod('stays', nodeName);
    for (const spec of [pods, services]) await joined(before, spec, node);
    await eventually('the pod', () => shown(before, 'v1/pods', { namespace, name: 'stays' }));
    const lists = (await audit.requests(userAgent)).filter(isList);
    expect(lists).toHaveLength(2);
    await world.stop();
    await cluster.createPod('later', nodeName);
    const after = await world.start();
    await eventually('the later pod', () => shown(after, 'v1/pods', { namespace, name: 'later' }));
    await eventually('both', () => after.coverages.all.every(({ state }) => state.kind === 'live'));
    expect((await audit.requests(userAgent)).filter(isList)).toEqual(lists);
  });

  test('it takes a list as a difference when its history is gone', async () => {
    const name = 'gone';
    await createReaders(name, []);
    await using world = await createHubNode(cluster, { userAgent: 'relisting' });
    const maps: CoverageSpec = { ...everything, resource: 'v1/services', namespace: name };
    const service = (of: string, port: number) => ({
      metadata: { namespace: name, name: of },
      spec: { ports: [{ port }] },
    });
    for (const of of ['keep', 'drop']) {
      await cluster.admin.create(resources.services, service(of, 80), { signal });
    }
    const before = await world.start();
    await joined(before, maps, node);
    const kept = shown(before, 'v1/services', { namespace: name, name: 'keep' });
    expect(kept).toBeDefined();
    await world.stop();
    await cluster.admin.delete(resources.services, { namespace: name, name: 'drop' }, { signal });
    await cluster.admin.create(resources.services, service('new', 81), { signal });
    await cluster.controlPlane.stopApiServer();
    await cluster.controlPlane.compact(signal);
    await cluster.controlPlane.startApiServer(signal);
    const after = await world.start();
    await eventually('the new service', () => shown(after, 'v1/services', { namespace: name, name: 'new' }));
    await eventually('the end of the list', () =>
      after.coverages.all.every(({ state }) => state.kind === 'live'),
    );
    expect(shown(after, 'v1/services', { namespace: name, name: 'drop' })).toBeUndefined();
    expect(shown(after, 'v1/services', { namespace: name, name: 'keep' })).toEqual(kept);
  });
});

describe('what the node may not read', () => {
  test('is followed with the token of a pod that may, then with that of another one', async () => {
    const name = 'sponsored';
    const other = 'other';
    await cluster.admin.create(
      resources.serviceAccounts,
      { metadata: { namespace, name: other } },
      { signal },
    );
    const [first] = await createReaders(name, [account, other]);
    await using world = await createHubNode(cluster, { userAgent: 'sponsored', refusedMs: 200 });
    const tokenless = await cluster.createPod('tokenless', nodeName);
    world.pods.push(tokenless, await podOf('first', account), await podOf('second', other));
    const run = await world.start();
    const maps: CoverageSpec = { ...everything, resource: 'v1/configmaps', namespace: name };
    await expect(run.coverages.join({ spec: maps, caller: node }, signal)).rejects.toMatchObject({
      code: 'Forbidden',
    });
    using one = await joined(run, maps, callerOf(account));
    using two = await joined(run, maps, callerOf(other));
    expect(two.coverage).toBe(one.coverage);
    const usersOf = async (): Promise<readonly string[]> =>
      (await audit.requests('sponsored'))
        .filter(({ verb, responseStatus }) => verb === 'watch' && responseStatus?.code === 200)
        .map(({ user }) => user.username);
    expect(await usersOf()).toEqual([`system:serviceaccount:${namespace}:${account}`]);
    if (first === undefined) throw new TypeError('no binding');
    await takeRight(first);
    // Ends the watches, so that they are opened anew.
    await cluster.controlPlane.stopApiServer();
    await cluster.controlPlane.startApiServer(signal);
    const map: ConfigMap = { metadata: { namespace: name, name: 'late' } };
    await cluster.admin.create(configMaps, map, { signal });
    await eventually('the late config map', () =>
      shown(run, 'v1/configmaps', { namespace: name, name: 'late' }),
    );
    expect((await usersOf()).at(-1)).toBe(`system:serviceaccount:${namespace}:${other}`);
    await eventually('the end of the first right', () => one.revoked.aborted);
    expect(two.revoked.aborted).toBe(false);
  });

  test('ends for whom the right was taken from, while others go on', async () => {
    const name = 'revoked';
    const [binding] = await createReaders(name, [account]);
    await using world = await createHubNode(cluster, { userAgent: 'revoked', recheckMs: 600 });
    world.pods.push(await podOf('reader', account));
    const run = await world.start();
    const maps: CoverageSpec = { ...everything, resource: 'v1/configmaps', namespace: name };
    using hold = await joined(run, maps, callerOf(account));
    using own = await joined(run, services, node);
    if (binding === undefined) throw new TypeError('no binding');
    await takeRight(binding);
    await eventually('the end', () => hold.revoked.aborted);
    expect(hold.revoked.reason).toMatchObject({
      code: 'Forbidden',
      message: expect.stringMatching(/cannot (list|watch) resource "configmaps"/),
    });
    expect(own.revoked.aborted).toBe(false);
    await expect(run.coverages.join({ spec: maps, caller: callerOf(account) }, signal)).rejects.toMatchObject(
      {
        code: 'Forbidden',
      },
    );
  });
});

test('who may only watch watches what another runs, and runs nothing himself', async () => {
  const name = 'watch-only';
  await createReaders(name, [account], ['get', 'watch']);
  await using world = await createHubNode(cluster, { userAgent: name });
  world.pods.push(await podOf('watcher', account));
  const run = await world.start();
  using own = await joined(run, services, node);
  const caller = callerOf(account);
  const spec: CoverageSpec = { ...services, namespace: name };
  using hold = await run.coverages.join({ spec, caller, verb: 'watch' }, signal);
  expect(hold.coverage).toBe(own.coverage);
  await expect(run.coverages.join({ spec, caller, verb: 'list' }, signal)).rejects.toMatchObject({
    code: 'Forbidden',
  });
  const maps: CoverageSpec = { ...spec, resource: 'v1/configmaps' };
  await expect(run.coverages.join({ spec: maps, caller, verb: 'watch' }, signal)).rejects.toMatchObject({
    code: 'Unavailable',
  });
});

test('any resource is followed, and metadata alone is', async () => {
  await using world = await createHubNode(cluster, { userAgent: 'any' });
  const run = await world.start();
  const slices: CoverageSpec = { ...everything, resource: 'discovery.k8s.io/v1/endpointslices' };
  const metadata: CoverageSpec = { ...services, resource: 'v1/services;metadata' };
  using one = await joined(run, slices, node);
  using two = await joined(run, metadata, node);
  await cluster.admin.create(
    resources.endpointSlices,
    { metadata: { namespace, name: 'any' }, addressType: 'IPv4', endpoints: [] },
    { signal },
  );
  const slice = await eventually('the slice', () =>
    shown(run, 'discovery.k8s.io/v1/endpointslices', { namespace, name: 'any' }),
  );
  expect(slice).toMatchObject({ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' });
  const service = shown(run, 'v1/services;metadata', { namespace: 'default', name: 'kubernetes' });
  expect(service).toMatchObject({ kind: 'PartialObjectMetadata' });
  expect(service).not.toHaveProperty('spec');
  expect([one, two]).toHaveLength(2);
});

const tills = defineResource<KubeObject & { readonly spec: object }>({
  apiVersion: 'shop.example/v1',
  kind: 'Till',
  plural: 'tills',
  namespaced: true,
});

/** A kind that nobody has heard of, which nodes may read. */
async function createTills(): Promise<void> {
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  };
  const names = { plural: 'tills', kind: 'Till', listKind: 'ManyTills' };
  const definition = {
    metadata: { name: 'tills.shop.example' },
    spec: { group: 'shop.example', scope: 'Namespaced', names, versions: [version] },
  };
  const rules = [{ apiGroups: ['shop.example'], resources: ['tills'], verbs: ['get', 'list', 'watch'] }];
  await cluster.admin.create(resources.customResourceDefinitions, definition, { signal });
  await cluster.admin.create(resources.clusterRoles, { metadata: { name: 'tills' }, rules }, { signal });
  await cluster.admin.create(
    resources.clusterRoleBindings,
    {
      metadata: { name: 'tills' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'tills' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
    },
    { signal },
  );
}

test('custom resources are followed like all others', async () => {
  await createTills();
  const at = { namespace, name: 'first' };
  const till = { metadata: at, spec: { drawer: 'open' } };
  await waitFor({ what: 'the new kind' }, systemClock, async (attempt) =>
    cluster.admin.create(tills, till, { signal: attempt }).catch((error: unknown) => {
      if (hasCode(error, 'NotFound')) return undefined;
      throw error;
    }),
  );
  await using world = await createHubNode(cluster, { userAgent: 'custom' });
  const run = await world.start();
  using hold = await joined(run, { ...everything, resource: 'shop.example/v1/tills' }, node);
  expect(shown(run, 'shop.example/v1/tills', at)).toMatchObject({
    apiVersion: 'shop.example/v1',
    kind: 'Till',
    spec: { drawer: 'open' },
  });
  await cluster.admin.delete(tills, at, { signal });
  await eventually('its end', () => shown(run, 'shop.example/v1/tills', at) === undefined);
  const nobody: CoverageSpec = { ...everything, resource: 'shop.example/v1/scales' };
  await expect(run.coverages.join({ spec: nobody, caller: node }, signal)).rejects.toMatchObject({
    code: 'Forbidden',
  });
  expect(hold.coverage.state.kind).toBe('live');
});

test('two hundred single config maps are followed over one connection', async () => {
  const names = Array.from({ length: 200 }, (_, i) => `map-${i}`);
  for (const name of names) {
    await cluster.admin.create(configMaps, { metadata: { namespace, name } }, { signal });
  }
  const volumes = names.map((name) => ({ name, configMap: { name } }));
  const spec = { nodeName, containers: [{ name: 'main', image: 'main' }], volumes };
  await cluster.admin.create(resources.pods, { metadata: { namespace, name: 'many' }, spec }, { signal });
  await using world = await createHubNode(cluster, { userAgent: 'many', pods: true });
  const run = await world.start();
  await run.source.whenSynced(signal);
  const refs = names.map((name) => ({ resource: 'configmaps', namespace, name }) as const);
  const follows = refs.map((ref) => run.source.source.follow(ref));
  await eventually('all of them', () => refs.every((ref) => run.source.source.get(ref).kind === 'present'));
  expect((await audit.requests('many')).filter(isList)).toHaveLength(names.length + 3);
  expect(run.metrics.render()).toMatch(/selvedge_kube_dials_total [1-4]\n/);
  for (const follow of follows) follow[Symbol.dispose]();
});
