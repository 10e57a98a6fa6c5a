import { SelvedgeError, systemClock } from '@selvedge/kit';
import {
  applyPatch,
  createEventRecorder,
  createKubeClient,
  createKubeMetrics,
  defineResource,
  jsonPatch,
  mergePatch,
  resources,
  staticCredentials,
  strategicMergePatch,
  type KubeObject,
} from '@selvedge/kube';
import { createMetricsRegistry, silentLogger } from '@selvedge/kit';
import type { APIResourceList, ConfigMap, Pod, TokenRequest } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { waitFor } from '../bed/wait.ts';
import { connect, startControlPlane, type TestClient } from './kube-world.ts';

const { signal } = new AbortController();
const { configMaps, namespaces, pods, nodes, serviceAccounts } = resources;

const configMap = (namespace: string, name: string, data: Record<string, string> = {}): ConfigMap => ({
  metadata: { namespace, name, labels: { app: name } },
  data,
});

const pod = (namespace: string, name: string): Pod => ({
  metadata: { namespace, name },
  spec: { containers: [{ name: 'main', image: 'busybox' }] },
});

describe('the client against a real API server', () => {
  let controlPlane: PrivateControlPlane;
  let world: TestClient;
  const client = (): TestClient['client'] => world.client;
  const newNamespace = async (): Promise<string> => {
    const made = await client().create(namespaces, { metadata: { generateName: 'client-' } }, { signal });
    return made.metadata.name ?? '';
  };

  beforeAll(async () => {
    controlPlane = await startControlPlane();
    world = await connect(controlPlane.kubeconfig);
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    await controlPlane?.stop();
  });

  it('speaks HTTP/2 on one connection, however many requests there are', async () => {
    await Promise.all(Array.from({ length: 40 }, () => client().listAll(namespaces, { signal })));
    expect(world.registry.render()).toContain('selvedge_kube_dials_total 1\n');
  });

  it('creates, reads, replaces and deletes', async () => {
    const namespace = await newNamespace();
    const made = await client().create(configMaps, configMap(namespace, 'a', { k: '1' }), { signal });
    expect(made.metadata.uid).toMatch(/-/);
    await client().replace(configMaps, { ...made, data: { k: '2' } }, { signal });
    const at = { namespace, name: 'a' };
    expect((await client().get(configMaps, at, { signal })).data).toEqual({ k: '2' });
    await client().delete(configMaps, at, { signal });
    await expect(client().get(configMaps, at, { signal })).rejects.toMatchObject({
      code: 'NotFound',
      details: { status: 404, reason: 'NotFound' },
    });
  });

  it('maps the answers of the server to codes', async () => {
    const namespace = await newNamespace();
    const made = await client().create(configMaps, configMap(namespace, 'a'), { signal });
    await client().replace(configMaps, { ...made, data: { k: '1' } }, { signal });
    const wrongName = configMap(namespace, 'No Name');
    const cases: readonly (readonly [() => Promise<unknown>, string, string])[] = [
      [
        () => client().create(configMaps, configMap(namespace, 'a'), { signal }),
        'AlreadyExists',
        'AlreadyExists',
      ],
      [() => client().replace(configMaps, made, { signal }), 'Conflict', 'Conflict'],
      [() => client().create(configMaps, wrongName, { signal }), 'Invalid', 'Invalid'],
      [() => client().list(pods, { labelSelector: '===', signal }), 'Invalid', 'BadRequest'],
      [() => client().raw({ method: 'GET', path: '/apis/nowhere/v1', signal }), 'NotFound', ''],
    ];
    for (const [call, code, reason] of cases) {
      await expect(call()).rejects.toMatchObject({ code, details: { reason } });
    }
  });

  it('says Unauthenticated for a stranger and Forbidden for a user without rights', async () => {
    const as = (credentials: Parameters<typeof staticCredentials>[0]): TestClient['client'] =>
      createKubeClient(
        { servers: [`https://127.0.0.1:${controlPlane.port}`], userAgent: 'selvedge-test' },
        {
          credentials: staticCredentials({ certificateAuthority: controlPlane.ca, ...credentials }),
          clock: systemClock,
          random: Math.random,
          log: silentLogger,
          metrics: createKubeMetrics(createMetricsRegistry()),
        },
      );
    const stranger = as({ bearerToken: 'wrong' });
    await expect(stranger.list(pods, { signal })).rejects.toMatchObject({ code: 'Unauthenticated' });
    const { certificate, key } = await controlPlane.issue({ commonName: 'jane', usages: ['client'] });
    const jane = as({ clientCertificate: { certificate, privateKey: key } });
    await expect(jane.list(pods, { signal })).rejects.toMatchObject({ code: 'Forbidden' });
    const unverified = as({ certificateAuthority: undefined });
    await expect(unverified.list(pods, { signal })).rejects.toMatchObject({ code: 'Unavailable' });
    await Promise.all([stranger.close(), jane.close(), unverified.close()]);
  });

  it('patches in four ways', async () => {
    const namespace = await newNamespace();
    const at = { namespace, name: 'a' };
    await client().create(pods, pod(namespace, 'a'), { signal });
    const merge = mergePatch({ metadata: { labels: { merged: 'yes' } } });
    const json = jsonPatch([{ op: 'add', path: '/metadata/labels/json', value: 'yes' }]);
    const strategic = strategicMergePatch({ spec: { containers: [{ name: 'main', image: 'busybox:2' }] } });
    const apply = applyPatch({ metadata: { labels: { applied: 'yes' } } });
    await client().patch(pods, at, { patch: merge, signal });
    await client().patch(pods, at, { patch: json, signal });
    await client().patch(pods, at, { patch: strategic, signal });
    const applied = await client().patch(pods, at, {
      patch: apply,
      fieldManager: 'test',
      force: true,
      signal,
    });
    expect(applied.metadata.labels).toEqual({ merged: 'yes', json: 'yes', applied: 'yes' });
    expect(applied.spec?.containers[0]?.image).toBe('busybox:2');
    const failing = jsonPatch([{ op: 'test', path: '/metadata/labels/json', value: 'no' }]);
    await expect(client().patch(pods, at, { patch: failing, signal })).rejects.toMatchObject({
      code: 'Invalid',
    });
  });

  it('refuses to apply over a field of another manager unless forced', async () => {
    const namespace = await newNamespace();
    const at = { namespace, name: 'a' };
    const apply = (value: string, fieldManager: string, force: boolean): Promise<ConfigMap> =>
      client().patch(configMaps, at, {
        patch: applyPatch({ data: { k: value } }),
        fieldManager,
        force,
        signal,
      });
    await apply('1', 'one', false);
    await expect(apply('2', 'two', false)).rejects.toMatchObject({ code: 'Conflict' });
    expect((await apply('2', 'two', true)).data).toEqual({ k: '2' });
  });

  it('writes a status and leaves the rest alone', async () => {
    const name = 'status-node';
    await client().create(nodes, { metadata: { name } }, { signal });
    const patch = mergePatch({ status: { capacity: { cpu: '7' } }, spec: { podCIDR: '10.1.0.0/24' } });
    const patched = await client().patch(nodes, { name }, { patch, subresource: 'status', signal });
    expect(patched.status?.capacity?.['cpu']).toBe('7');
    expect(patched.spec?.podCIDR).toBeUndefined();
    await client().delete(nodes, { name }, { signal });
  });

  it('creates subresources with types of their own', async () => {
    const namespace = await newNamespace();
    await client().create(serviceAccounts, { metadata: { namespace, name: 'app' } }, { signal });
    const body: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: { audiences: ['test'], expirationSeconds: 600 },
    };
    const at = { namespace, name: 'app', subresource: 'token' };
    const { status } = await client().createSubresource(serviceAccounts, at, { body, signal });
    expect(status?.token?.split('.')).toHaveLength(3);
  });

  it('deletes with preconditions and a grace period', async () => {
    const namespace = await newNamespace();
    const at = { namespace, name: 'a' };
    await client().create(pods, pod(namespace, 'a'), { signal });
    const other = { uid: '00000000-0000-0000-0000-000000000000' };
    await expect(client().delete(pods, at, { preconditions: other, signal })).rejects.toMatchObject({
      code: 'Conflict',
    });
    await client().delete(pods, at, { gracePeriodSeconds: 0, signal });
    await expect(client().get(pods, at, { signal })).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('deletes a collection by label and keeps the rest', async () => {
    const namespace = await newNamespace();
    for (const name of ['a', 'b', 'c'])
      await client().create(configMaps, configMap(namespace, name), { signal });
    await client().deleteCollection(configMaps, { namespace, labelSelector: 'app in (a,b)', signal });
    const left = await client().listAll(configMaps, {
      namespace,
      fieldSelector: 'metadata.name!=kube-root-ca.crt',
      signal,
    });
    expect(left.items.map(({ metadata }) => metadata.name)).toEqual(['c']);
  });

  it('stores nothing on a dry run', async () => {
    const namespace = await newNamespace();
    const made = await client().create(configMaps, configMap(namespace, 'a'), { dryRun: true, signal });
    expect(made.metadata.uid).toBeDefined();
    await expect(client().get(configMaps, { namespace, name: 'a' }, { signal })).rejects.toMatchObject({
      code: 'NotFound',
    });
  });

  it('reads a list in pages, all of one version', async () => {
    const namespace = await newNamespace();
    const names = Array.from({ length: 23 }, (_, i) => `cm-${String(i).padStart(2, '0')}`);
    await Promise.all(
      names.map((name) => client().create(configMaps, configMap(namespace, name), { signal })),
    );
    const list = await client().listAll(configMaps, { namespace, pageSize: 5, labelSelector: 'app', signal });
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(names);
    expect(list.items.every(({ kind, apiVersion }) => kind === 'ConfigMap' && apiVersion === 'v1')).toBe(
      true,
    );
    await expect(
      client().listAll(configMaps, { namespace, pageSize: 5, maxObjects: 10, signal }),
    ).rejects.toMatchObject({ code: 'ResourceExhausted' });
  });

  it('starts a paged list anew when its version was compacted away', async () => {
    const namespace = await newNamespace();
    for (const name of ['a', 'b', 'c', 'd'])
      await client().create(configMaps, configMap(namespace, name), { signal });
    const first = await client().list(configMaps, { namespace, labelSelector: 'app', limit: 2, signal });
    await client().delete(configMaps, { namespace, name: 'd' }, { signal });
    await controlPlane.stopApiServer();
    await controlPlane.compact(signal);
    await controlPlane.startApiServer(signal);
    const stale = { ...first.metadata };
    await expect(
      client().list(configMaps, {
        namespace,
        labelSelector: 'app',
        limit: 2,
        continue: stale.continue,
        signal,
      }),
    ).rejects.toMatchObject({ code: 'Gone' });
    const list = await client().listAll(configMaps, { namespace, labelSelector: 'app', pageSize: 2, signal });
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'c']);
  });

  it('describes resources as the server does', async () => {
    for (const resource of Object.values(resources)) {
      const prefix = resource.apiVersion.includes('/') ? '/apis/' : '/api/';
      const answer = await client().raw({ method: 'GET', path: `${prefix}${resource.apiVersion}`, signal });
      const { resources: known } = JSON.parse(answer.body.toString('utf8')) as APIResourceList;
      const { kind, plural: name, namespaced } = resource;
      expect(known).toContainEqual(expect.objectContaining({ kind, name, namespaced }));
    }
  });

  it('works with a custom resource as soon as the server knows it', async () => {
    type Gadget = KubeObject & { readonly spec: { readonly size: number } };
    const gadgets = defineResource<Gadget>({
      apiVersion: 'test.selvedge.io/v1',
      kind: 'Gadget',
      plural: 'gadgets',
      namespaced: true,
    });
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    await client().create(
      resources.customResourceDefinitions,
      {
        metadata: { name: 'gadgets.test.selvedge.io' },
        spec: {
          group: 'test.selvedge.io',
          names: { kind: 'Gadget', plural: 'gadgets' },
          scope: 'Namespaced',
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
        },
      },
      { signal },
    );
    const gadget = { metadata: { namespace: 'default', name: 'g' }, spec: { size: 3 } };
    const made = await waitFor({ what: 'the custom resource' }, systemClock, () =>
      client().create(gadgets, gadget, { signal }),
    );
    expect(made.spec).toEqual({ size: 3 });
  });

  it('reads an answer that the server compressed', async () => {
    const namespace = await newNamespace();
    const data = { big: 'x'.repeat(300_000) };
    await client().create(configMaps, configMap(namespace, 'a', data), { signal });
    expect((await client().get(configMaps, { namespace, name: 'a' }, { signal })).data).toEqual(data);
  });

  it('records events that the server accepts, counts and combines', async () => {
    const namespace = await newNamespace();
    const { metadata } = await client().create(pods, pod(namespace, 'a'), { signal });
    const about = { apiVersion: 'v1', kind: 'Pod', namespace, name: 'a', uid: metadata.uid };
    const deps = { ...world, clock: systemClock, random: Math.random };
    const recorder = createEventRecorder({ component: 'test', host: 'n1' }, deps);
    await recorder.start(signal);
    for (let i = 0; i < 3; i += 1)
      recorder.record(about, { type: 'Warning', reason: 'BackOff', message: 'same' });
    for (let i = 0; i < 11; i += 1)
      recorder.record(about, { type: 'Normal', reason: 'Pulled', message: `image ${i}` });
    const fieldSelector = `involvedObject.uid=${metadata.uid},reason=Pulled`;
    const combined = async (): Promise<boolean> => {
      const { items } = await client().listAll(resources.events, { namespace, fieldSelector, signal });
      return items.some(
        ({ message, count }) => message === '(combined from similar events): image 10' && count === 2,
      );
    };
    await waitFor({ what: 'the combined event' }, systemClock, combined);
    const { items } = await client().listAll(resources.events, { namespace, signal });
    expect(items.filter(({ reason }) => reason === 'BackOff')).toMatchObject([
      { count: 3, type: 'Warning', message: 'same', source: { component: 'test', host: 'n1' } },
    ]);
    await recorder.stop();
  });

  it('logs a warning of the server once', async () => {
    const path = '/api/v1/componentstatuses';
    for (let i = 0; i < 2; i += 1) await client().raw({ method: 'GET', path, signal });
    const warnings = world.lines.filter(({ text }) => text === 'API server warning');
    expect(warnings.map(({ fields }) => fields['call'])).toEqual([`GET ${path}`]);
  });

  it('ends a call with the reason of its signal, or with its deadline', async () => {
    const stop = new AbortController();
    const reason = new SelvedgeError('enough', { code: 'Aborted' });
    const call = client().listAll(pods, { signal: stop.signal });
    stop.abort(reason);
    await expect(call).rejects.toBe(reason);
    // The server holds a list of a version to come for seconds.
    const future = { resourceVersion: '1000000000', timeoutMs: 100, signal };
    await expect(client().list(pods, future)).rejects.toMatchObject({ code: 'DeadlineExceeded' });
  });

  it('is served again after the API server restarted', async () => {
    await controlPlane.stopApiServer();
    await expect(client().list(pods, { signal })).rejects.toMatchObject({ code: 'Unavailable' });
    await controlPlane.startApiServer(signal);
    await expect(client().list(pods, { signal })).resolves.toBeDefined();
  });
});
