import { randomBytes } from 'node:crypto';
import { systemClock } from '@selvedge/kit';
import {
  type KubeClient,
  type KubeObject,
  type Patch,
  applyPatch,
  defineResource,
  jsonPatch,
  mergePatch,
  resources,
  strategicMergePatch,
} from '@selvedge/kube';
import type { ConfigMap, Deployment, TokenRequest } from '@selvedge/kube/types';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { translateBody } from '../../packages/edge-lite/src/hub/bodies/index.ts';
import { createForward } from '../../packages/edge-lite/src/hub/forward/index.ts';
import { hubRequest, jsonOf } from '../../packages/edge-lite/src/hub/forward/testing.ts';
import { upstreamText } from '../../packages/edge-lite/src/hub/replica/index.ts';
import type { ApplyViews } from '../../packages/edge-lite/src/hub/replica/types.ts';
import type { Caller, HubHandler, HubResponse } from '../../packages/edge-lite/src/hub/request.ts';
import { waitFor } from '../bed/wait.ts';
import { type HubCluster, namespace, nodeName, startHubCluster } from './hub-cluster.ts';
import { administrator, at, clientOf, configMap } from './hub-forward-world.ts';
import { type HubSite, createHubSite, nodeCaller } from './hub-writes-world.ts';

const { signal } = new AbortController();
let cluster: HubCluster;
let site: HubSite;
let operator: Caller;
let forward: HubHandler;
/** A service account that may do anything, and the node, both through the hub's forwarding and nothing else. */
let client: KubeClient;
let node: KubeClient;
const read: string[] = [];

const versionOf = ({ metadata }: KubeObject): string => metadata.resourceVersion ?? '';

beforeAll(async () => {
  cluster = await startHubCluster();
  site = await createHubSite(cluster);
  const { upstream, replica } = await site.start();
  await site.heal();
  operator = await administrator(cluster);
  const views = <T>(_resource: string, object: T): T => object;
  forward = createForward(
    {},
    {
      upstream,
      replica,
      translateBody,
      views,
      takeOver: (learn) => learn(),
      clock: systemClock,
      remember: (about, { user }) => void read.push(`${user.username} ${about.resource}/${about.name}`),
    },
  );
  client = clientOf(operator, forward);
  node = clientOf(nodeCaller, forward);
});

afterAll(async () => {
  await client?.close();
  await node?.close();
  await site?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

describe('forwarding to a real API server', () => {
  it('goes in the sender’s own name', async () => {
    const whoami = async (as: KubeClient): Promise<string | undefined> => {
      const review = await as.create(resources.selfSubjectReviews, { metadata: {} }, { signal });
      return review.status?.userInfo?.username;
    };
    expect(await whoami(client)).toBe(operator.user.username);
    expect(await whoami(node)).toBe(`system:node:${nodeName}`);
    await expect(node.list(resources.configMaps, { signal })).rejects.toMatchObject({ code: 'Forbidden' });
  });

  it('creates, gets, replaces and deletes under the hub’s versions', async () => {
    const created = await client.create(resources.configMaps, configMap('verbs', { a: '1' }), { signal });
    const direct = await cluster.admin.get(resources.configMaps, at('verbs'), { signal });
    expect(upstreamText(versionOf(created))).toBe(versionOf(direct));
    expect(versionOf(created)).not.toBe(versionOf(direct));
    expect(await client.get(resources.configMaps, at('verbs'), { signal })).toEqual(created);
    expect(read).toContain(`${operator.user.username} configmaps/verbs`);
    const replaced = await client.replace(resources.configMaps, { ...created, data: { a: '2' } }, { signal });
    await expect(
      client.replace(resources.configMaps, { ...created, data: { a: '3' } }, { signal }),
    ).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringContaining('Operation cannot be fulfilled on configmaps "verbs"'),
    });
    const stale = { preconditions: { resourceVersion: versionOf(created) }, signal };
    await expect(client.delete(resources.configMaps, at('verbs'), stale)).rejects.toMatchObject({
      code: 'Conflict',
    });
    const preconditions = { resourceVersion: versionOf(replaced), uid: replaced.metadata.uid ?? '' };
    await client.delete(resources.configMaps, at('verbs'), { preconditions, signal });
    await expect(client.get(resources.configMaps, at('verbs'), { signal })).rejects.toMatchObject({
      code: 'NotFound',
    });
  });

  it.each<[string, (version: string) => Patch]>([
    [
      'json',
      (version) =>
        jsonPatch([
          { op: 'test', path: '/metadata/resourceVersion', value: version },
          { op: 'add', path: '/data/b', value: '2' },
        ]),
    ],
    ['merge', (resourceVersion) => mergePatch({ metadata: { resourceVersion }, data: { b: '2' } })],
    [
      'strategic',
      (resourceVersion) => strategicMergePatch({ metadata: { resourceVersion }, data: { b: '2' } }),
    ],
    ['apply', (resourceVersion) => applyPatch({ metadata: { resourceVersion }, data: { b: '2' } })],
  ])('patches: %s', async (type, patchOf) => {
    const name = `patched-${type}`;
    const created = await client.create(resources.configMaps, configMap(name, { a: '1' }), { signal });
    const options = { fieldManager: 'test', force: type === 'apply' ? true : undefined, signal };
    const patch = patchOf(versionOf(created));
    const patched = await client.patch(resources.configMaps, at(name), { patch, ...options });
    expect(patched.data).toEqual({ a: '1', b: '2' });
    await expect(client.patch(resources.configMaps, at(name), { patch, ...options })).rejects.toMatchObject({
      code: expect.stringMatching(/Conflict|Invalid/),
    });
  });

  it('takes subresources with a type of their own: scale, binding, eviction, token', async () => {
    const labels = { app: 'scaled' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'a' }] } };
    const deployment: Deployment = {
      metadata: at('scaled'),
      spec: { selector: { matchLabels: labels }, template },
    };
    await client.create(resources.deployments, deployment, { signal });
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/scaled/scale`;
    const scale = JSON.parse(
      (await client.raw({ method: 'GET', path, signal })).body.toString(),
    ) as KubeObject;
    const body = JSON.stringify({ ...scale, spec: { replicas: 3 } });
    await client.raw({ method: 'PUT', path, body, signal });
    expect((await client.get(resources.deployments, at('scaled'), { signal })).spec?.replicas).toBe(3);
    await expect(client.raw({ method: 'PUT', path, body, signal })).rejects.toMatchObject({
      code: 'Conflict',
    });

    const pod = { metadata: at('bound'), spec: { containers: [{ name: 'a', image: 'a' }] } };
    await client.create(resources.pods, pod, { signal });
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
    const binding: KubeObject & { readonly target: object } = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: at('bound'),
      target,
    };
    await client.createSubresource(
      resources.pods,
      { ...at('bound'), subresource: 'binding' },
      { body: binding, signal },
    );
    expect((await client.get(resources.pods, at('bound'), { signal })).spec?.nodeName).toBe(nodeName);
    const eviction: KubeObject = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: at('bound') };
    await client.createSubresource(
      resources.pods,
      { ...at('bound'), subresource: 'eviction' },
      { body: eviction, signal },
    );
    const request: TokenRequest = { metadata: {}, spec: { audiences: [] } };
    const token = { ...at('root'), subresource: 'token' };
    const answer = await client.createSubresource(resources.serviceAccounts, token, {
      body: request,
      signal,
    });
    expect(answer.status?.token).toMatch(/^ey/);
  });

  it('passes refusals and warnings on', async () => {
    await expect(client.get(resources.configMaps, at('none'), { signal })).rejects.toMatchObject({
      code: 'NotFound',
      message: expect.stringContaining('configmaps "none" not found'),
    });
    const path = `/api/v1/namespaces/${namespace}/configmaps?fieldValidation=Warn`;
    const body = { ...configMap('warned'), unheardOf: 1 };
    const response = await forward(hubRequest('POST', path, { body, caller: operator }));
    expect(response.status).toBe(201);
    expect(response.headers['warning']).toContain('unknown field');
    const wrong = hubRequest('POST', path, { body: { metadata: { name: 'UPPER' } }, caller: operator });
    const refused = await forward(wrong);
    expect(await jsonOf(refused)).toMatchObject({ kind: 'Status', code: 422, reason: 'Invalid' });
  });

  const gadgets = defineResource({
    apiVersion: 'x.io/v1',
    kind: 'Gadget',
    plural: 'gadgets',
    namespaced: true,
  });

  it('knows nothing of types: custom resources go the same way', async () => {
    const names = { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' };
    const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }];
    const spec = { group: 'x.io', scope: 'Namespaced', names, versions };
    const definition = { metadata: { name: 'gadgets.x.io' }, spec };
    await client.create(resources.customResourceDefinitions, definition, { signal });
    const created = await waitFor({ what: 'the custom resource' }, systemClock, async () =>
      client.create(gadgets, { metadata: at('one') }, { signal }).catch(() => undefined),
    );
    const list = await client.list(gadgets, { namespace, signal });
    expect(list.items).toEqual([created]);
    const direct = await cluster.admin.list(gadgets, { namespace, signal });
    expect(upstreamText(list.metadata.resourceVersion ?? '')).toBe(direct.metadata.resourceVersion);
  });

  it('follows a watch from a list’s version on', async () => {
    const { metadata } = await client.list(gadgets, { namespace, signal });
    const stop = new AbortController();
    const { resourceVersion } = metadata;
    const watch = await client.watch(gadgets, { namespace, resourceVersion, signal: stop.signal });
    const created = await client.create(gadgets, { metadata: at('watched') }, { signal });
    for await (const [event] of watch) {
      expect(event).toEqual({ type: 'ADDED', object: created });
      break;
    }
    stop.abort();
  });
});

describe('what views add', () => {
  const path = `/api/v1/namespaces/${namespace}/configmaps/trust`;
  const added = 'hub';
  /** Shows the config map `trust` with an authority more, and some of its keys not at all. */
  const views: ApplyViews = (_resource, object) => {
    const { metadata, data: { hidden: _hidden, ...data } = {} }: ConfigMap = object;
    if (metadata.name !== 'trust') return object;
    const next: ConfigMap = { ...object, data: { ...data, ca: `${data['ca']} ${added}` } };
    return next;
  };
  let viewing: HubHandler;
  const send = (method: string, type: string, body: string | Uint8Array, query = ''): Promise<HubResponse> =>
    viewing(
      hubRequest(method, `${path}${query}`, {
        body: Buffer.from(body),
        headers: { 'content-type': type },
        caller: operator,
      }),
    );
  const upstreamData = async (): Promise<unknown> =>
    (await cluster.admin.get(resources.configMaps, at('trust'), { signal })).data;
  const shown = async (): Promise<ConfigMap> =>
    jsonOf<ConfigMap & Record<string, unknown>>(await viewing(hubRequest('GET', path, { caller: operator })));

  beforeAll(async () => {
    const { upstream, replica } = site.run;
    const deps = { upstream, replica, translateBody, views, clock: systemClock };
    viewing = createForward({}, { ...deps, takeOver: () => undefined, remember: () => undefined });
  });
  beforeEach(async () => {
    const data = { ca: 'cluster', hidden: 'x' };
    await cluster.admin.delete(resources.configMaps, at('trust'), { signal }).catch(() => undefined);
    await cluster.admin.create(resources.configMaps, configMap('trust', data), { signal });
    expect((await shown()).data).toEqual({ ca: 'cluster hub' });
  });

  it('is not sent up by who writes back what he was shown', async () => {
    const { metadata, ...rest } = await shown();
    const whole = { ...rest, metadata: { ...metadata, labels: { a: 'b' } } };
    const { status } = await send('PUT', 'application/json', JSON.stringify(whole));
    expect(status).toBe(200);
    expect(await upstreamData()).toEqual({ ca: 'cluster', hidden: 'x' });
  });

  const data = { ca: `cluster ${added}`, more: 'y' };
  const applied = { apiVersion: 'v1', kind: 'ConfigMap', data };
  it.each([
    ['application/merge-patch+json', JSON.stringify({ data })],
    ['application/strategic-merge-patch+json', JSON.stringify({ data })],
    ['application/apply-patch+yaml', JSON.stringify(applied)],
    [
      'application/json-patch+json',
      JSON.stringify([
        { op: 'test', path: '/data/ca', value: data.ca },
        { op: 'replace', path: '/data/ca', value: data.ca },
        { op: 'add', path: '/data/more', value: 'y' },
      ]),
    ],
  ])('is not sent up by a patch of type %s', async (type, body) => {
    const force = type.includes('apply') ? '&force=true' : '';
    const { status } = await send('PATCH', type, body, `?fieldManager=test${force}`);
    expect(status).toBe(200);
    expect(await upstreamData()).toEqual({ ca: 'cluster', hidden: 'x', more: 'y' });
  });

  it('is refused where it cannot be told from what was changed, and nothing is sent', async () => {
    const { apiVersion, kind, metadata } = await shown();
    const yaml = (ca: string): string =>
      `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${metadata.name}}\ndata: {ca: ${ca}}\n`;
    const accept = 'application/vnd.kubernetes.protobuf';
    const request = { method: 'GET', path, headers: { accept }, body: undefined, longRunning: false, signal };
    const { body } = await site.run.upstream.send(operator, request);
    const bytes = Buffer.concat(await Array.fromAsync(body));
    const unsupported = { code: 'Unsupported' };
    await expect(send('PUT', accept, bytes)).rejects.toMatchObject(unsupported);
    await expect(send('PUT', 'application/yaml', yaml('cluster hub'))).rejects.toMatchObject(unsupported);
    expect(await upstreamData()).toEqual({ ca: 'cluster', hidden: 'x' });
    const force = '?fieldManager=test&force=true';
    expect((await send('PATCH', 'application/apply-patch+yaml', yaml('mine'), force)).status).toBe(200);
    expect(await upstreamData()).toEqual({ ca: 'mine', hidden: 'x' });
  });
});

describe('a large list', () => {
  const count = 1_500;
  const data = { text: 'x"[{\\'.repeat(800) };

  beforeAll(async () => {
    await cluster.admin.create(resources.namespaces, { metadata: { name: 'large' } }, { signal });
    for (let i = 0; i < count; i += 50) {
      const batch = Array.from({ length: 50 }, (_, j) => ({ name: `c-${i + j}`, namespace: 'large' }));
      await Promise.all(
        batch.map((metadata) => cluster.admin.create(resources.configMaps, { metadata, data }, { signal })),
      );
    }
  });

  it('comes through piece by piece, whole and the same', async () => {
    const direct = await cluster.admin.list(resources.configMaps, { namespace: 'large', signal });
    const request = hubRequest('GET', '/api/v1/namespaces/large/configmaps', { caller: operator });
    const { body } = await forward(request);
    const chunks: Uint8Array[] = [];
    for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
    const largest = Math.max(...chunks.map(({ length }) => length));
    const whole = Buffer.concat(chunks);
    expect(whole.length).toBeGreaterThan(5_000_000);
    expect(largest).toBeLessThan(whole.length / 10);
    const list = JSON.parse(whole.toString()) as { metadata: object; items: ConfigMap[] };
    const back = list.items.map((item) => ({
      ...item,
      metadata: { ...item.metadata, resourceVersion: upstreamText(versionOf(item)) },
    }));
    expect(back).toEqual(direct.items.map(({ kind: _kind, apiVersion: _version, ...item }) => item));
  });

  it.each([
    ['Table', 'rows'],
    ['PartialObjectMetadataList', 'items'],
  ])('comes as a %s', async (as, key) => {
    const accept = `application/json;as=${as};v=v1;g=meta.k8s.io,application/json`;
    const url = '/api/v1/namespaces/large/configmaps?limit=700';
    const request = hubRequest('GET', url, { caller: operator, headers: { accept } });
    const document = await jsonOf(await forward(request));
    expect(document['kind']).toBe(as);
    const items = document[key] as readonly (KubeObject & { object?: KubeObject })[];
    expect(items).toHaveLength(700);
    const [first] = items;
    const object = as === 'Table' ? first?.object : first;
    const direct = await cluster.admin.get(
      resources.configMaps,
      { namespace: 'large', name: object?.metadata.name ?? '' },
      { signal },
    );
    expect(upstreamText(object === undefined ? '' : versionOf(object))).toBe(versionOf(direct));
    const { continue: token } = document['metadata'] as { continue: string };
    const rest = hubRequest('GET', `${url}&continue=${encodeURIComponent(token)}`, { caller: operator });
    expect(await jsonOf<{ items: unknown[] }>(await forward(rest))).toMatchObject({
      items: expect.objectContaining({ length: 700 }),
    });
  });

  it('is deleted as one', async () => {
    await client.deleteCollection(resources.configMaps, { namespace: 'large', signal });
    const { items } = await cluster.admin.list(resources.configMaps, { namespace: 'large', signal });
    expect(items.filter(({ metadata }) => metadata.name?.startsWith('c-'))).toEqual([]);
  });

  it('ends with an error when the link breaks in it', async () => {
    const noise = (): string => randomBytes(10_000).toString('base64');
    const names = Array.from({ length: 100 }, (_, i) => ({ name: `noise-${i}`, namespace: 'large' }));
    await Promise.all(
      names.map((metadata) =>
        cluster.admin.create(resources.configMaps, { metadata, data: { noise: noise() } }, { signal }),
      ),
    );
    const request = hubRequest('GET', '/api/v1/namespaces/large/configmaps', { caller: operator });
    const reading = async (): Promise<void> => {
      const { body } = await forward(request);
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        expect(chunk.length).toBeGreaterThan(0);
        site.link.reset();
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: 'Unavailable' });
  });
});
