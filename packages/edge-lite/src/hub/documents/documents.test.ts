import { SelvedgeError, silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTemporaryStore, type TemporaryStore } from '../../store/testing.ts';
import type { Caller, HubRequest, HubResponse } from '../request.ts';
import type { Connectivity } from '../upstream/types.ts';
import { createArchive, type Archive, type ArchiveOptions } from './archive.ts';
import { createDocuments, type Documents } from './documents.ts';
import { chooseMedia } from './media.ts';
import { documentPath } from './paths.ts';
import { createTypes } from './types-of-api.ts';

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const things = {
  resource: 'things',
  responseKind: { group: '', version: '', kind: 'Thing' },
  scope: 'Namespaced',
  singularResource: 'thing',
  verbs: ['get', 'list'],
  subresources: [
    {
      subresource: 'scale',
      responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      verbs: ['get'],
    },
  ],
};
const discovery: Readonly<Record<string, object>> = {
  '/api': { items: [{ metadata: {}, versions: [{ version: 'v1', resources: [] }] }] },
  '/apis': {
    items: [{ metadata: { name: 'example.com' }, versions: [{ version: 'v1', resources: [things] }] }],
  },
};

class World {
  readonly clock = createManualClock();
  readonly sent: HubRequest[] = [];
  readonly #listeners = new Set<() => void>();
  allowed: boolean | undefined = true;
  groups: readonly string[] = [];
  connectivity: Connectivity = { kind: 'connecting', sinceMs: 0 };
  archive: Archive;
  documents: Documents;
  answer: (request: HubRequest) => HubResponse = ({ path, headers }) => {
    if (headers['if-none-match'] === '"1"')
      return { status: 304, headers: { etag: '"1"' }, body: Buffer.alloc(0) };
    const document = discovery[path];
    if (document === undefined) {
      return {
        status: 200,
        headers: { 'content-type': 'application/json', etag: '"1"' },
        body: Buffer.from(path),
      };
    }
    const body = gzipSync(JSON.stringify(document));
    return {
      status: 200,
      headers: { 'content-type': aggregated, 'content-encoding': 'gzip', etag: '"1"' },
      body,
    };
  };

  constructor({ store }: TemporaryStore, options: ArchiveOptions = {}) {
    this.archive = createArchive(options, { runtime: store.runtime });
    this.documents = createDocuments(
      { nodeName: 'shop-7' },
      {
        archive: this.archive,
        access: {
          authorize: async () => {
            if (this.allowed !== undefined) return { allowed: this.allowed, reason: '' };
            throw new SelvedgeError('nobody asked', { code: 'Unavailable' });
          },
        },
        upstream: this,
        forward: async (request) => {
          this.sent.push(request);
          return this.answer(request);
        },
        self: { kind: 'node', user: { username: 'system:node:shop-7', groups: [] } },
        clock: this.clock,
        log: silentLogger,
      },
    );
  }

  onConnectivity(listener: (now: Connectivity) => void): Disposable {
    const tell = (): void => listener(this.connectivity);
    this.#listeners.add(tell);
    return { [Symbol.dispose]: () => void this.#listeners.delete(tell) };
  }

  go(kind: 'online' | 'offline'): void {
    const sinceMs = this.clock.now();
    this.connectivity = kind === 'online' ? { kind, sinceMs, server: '' } : { kind, sinceMs, reason: '' };
    for (const listener of this.#listeners) listener();
  }

  async get(
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HubResponse & { text: string }> {
    const [plain = '', query = ''] = path.split('?');
    const response = await this.documents.handle({
      method: 'GET',
      path: plain,
      query: new URLSearchParams(query),
      headers,
      body: undefined,
      caller: { kind: 'node', user: { username: 'u', groups: this.groups } },
      signal: new AbortController().signal,
    });
    const chunks: Uint8Array[] = [];
    if (response.body instanceof Uint8Array) chunks.push(response.body);
    else for await (const chunk of response.body) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const zipped = response.headers['content-encoding'] === 'gzip';
    return { ...response, text: (zipped ? gunzipSync(bytes) : bytes).toString('utf8') };
  }

  async until(count: number): Promise<void> {
    while (this.sent.length < count) await this.clock.advance(0);
    await this.documents.stop();
  }
}

let store: TemporaryStore;
let world: World;
beforeEach(async () => {
  store = await createTemporaryStore();
  world = new World(store);
});
afterEach(async () => {
  await world.documents.stop();
  await store[Symbol.asyncDispose]();
});

describe('documents', () => {
  it('are given offline as they passed online, after a restart too', async () => {
    world.go('online');
    expect((await world.get('/openapi/v3/apis/apps/v1?hash=1')).text).toBe('/openapi/v3/apis/apps/v1');
    await store.reopen();
    world = new World(store);
    world.go('offline');
    const kept = await world.get('/openapi/v3/apis/apps/v1?hash=2', { 'accept-encoding': 'gzip' });
    expect(kept).toMatchObject({ status: 200, text: '/openapi/v3/apis/apps/v1', headers: { etag: '"1"' } });
    expect(kept.headers['content-encoding']).toBe('gzip');
    expect(kept.headers['warning']).toContain('node shop-7 is autonomous since 2026-01-01T00:00:00Z');
    const same = await world.get('/openapi/v3/apis/apps/v1', { 'if-none-match': 'W/"1"' });
    expect(same).toMatchObject({ status: 304, text: '' });
  });

  it('are unpacked piece by piece, and held once for all who read them', async () => {
    const large = 'x'.repeat(5 * 1024 * 1024);
    world.answer = () => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(large),
    });
    world.go('online');
    await world.get('/openapi/v2');
    world.go('offline');
    const { body, text } = await world.get('/openapi/v2');
    expect(text).toBe(large);
    expect(body).not.toBeInstanceOf(Uint8Array);
    const gzip = { 'accept-encoding': 'gzip' };
    const [one, other] = [await world.get('/openapi/v2', gzip), await world.get('/openapi/v2', gzip)];
    expect(one.body).toBe(other.body);
  });

  it('cross the link once', async () => {
    world.go('online');
    await world.get('/version');
    expect(await world.get('/version')).toMatchObject({ status: 200, text: '/version' });
    expect(await world.get('/version', { 'if-none-match': '"1"' })).toMatchObject({ status: 304 });
    expect(world.sent.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"1"', '"1"']);
  });

  it('come whole once for a client that has them already, so that they are here', async () => {
    world.go('online');
    expect(await world.get('/version', { 'if-none-match': '"1"' })).toMatchObject({ status: 200 });
    world.go('offline');
    expect((await world.get('/version')).text).toBe('/version');
  });

  it('are 503 when nobody ever read them, and 403 for whom they are refused', async () => {
    world.go('offline');
    await expect(world.get('/version')).rejects.toMatchObject({ code: 'Unavailable' });
    world.allowed = undefined;
    await expect(world.get('/version')).rejects.toMatchObject({ code: 'Unavailable' });
    world.allowed = false;
    await expect(world.get('/version')).rejects.toMatchObject({
      code: 'Forbidden',
      message: 'forbidden: User "u" cannot get path "/version"',
    });
  });

  it.each([
    ['become too large unzipped', gzipSync(Buffer.alloc(17 * 1024 * 1024))],
    ['are no gzip', Buffer.from('{}')],
  ])('pass and are not kept where they %s', async (_, body) => {
    const headers = { 'content-type': aggregated, 'content-encoding': 'gzip' };
    world.answer = () => ({ status: 200, headers, body });
    world.go('online');
    const request = {
      method: 'GET',
      path: '/apis',
      query: new URLSearchParams(),
      headers: {},
      body: undefined,
    };
    const caller: Caller = { kind: 'node', user: { username: 'u', groups: [] } };
    const { signal } = new AbortController();
    const passed = await world.documents.handle({ ...request, caller, signal });
    expect(Buffer.concat(await Array.fromAsync(passed.body as AsyncIterable<Uint8Array>))).toEqual(body);
    expect(world.archive.headsOf('/apis')).toEqual([]);
  });

  it('that were damaged on disk are as if they had never been read', async () => {
    const head = {
      path: '/apis',
      media: 'application/json;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2',
    };
    await world.archive.put({ ...head, contentType: aggregated, etag: undefined, body: Buffer.from('{}') });
    const kept = world.archive.headsOf('/apis');
    expect(kept).toHaveLength(1);
    const broken: Archive = {
      ...world.archive,
      headsOf: () => kept,
      bodyOf: () => Buffer.from('no'),
    };
    const replica = { reader: () => ({ get: () => undefined }) } as never;
    expect(createTypes({ archive: broken, replica }).kindOf('example.com/v1/things')).toBeUndefined();
  });

  it('of the issuer are for service accounts, where nobody said who else may read them', async () => {
    world.go('online');
    await world.get('/openid/v1/jwks');
    world.go('offline');
    world.allowed = undefined;
    await expect(world.get('/openid/v1/jwks')).rejects.toMatchObject({ code: 'Unavailable' });
    world.groups = ['system:serviceaccounts'];
    expect((await world.get('/openid/v1/jwks')).text).toBe('/openid/v1/jwks');
    world.allowed = false;
    await expect(world.get('/openid/v1/jwks')).rejects.toMatchObject({ code: 'Forbidden' });
  });

  it('are fetched ahead once the cloud can be reached, at most every 10 minutes', async () => {
    await world.documents.start(new AbortController().signal);
    expect(world.sent).toHaveLength(0);
    world.go('online');
    world.go('offline');
    world.go('online');
    await world.until(3);
    expect(world.sent.map(({ path }) => path)).toEqual(['/api', '/apis', '/version']);
    world.go('offline');
    expect(
      (await world.get('/apis', { accept: `${aggregated},application/json` })).headers['content-type'],
    ).toBe(aggregated);
    expect(JSON.parse((await world.get('/apis/example.com/v1')).text)).toEqual({
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: 'example.com/v1',
      resources: [
        { name: 'things', singularName: 'thing', namespaced: true, kind: 'Thing', verbs: ['get', 'list'] },
        {
          name: 'things/scale',
          singularName: '',
          namespaced: true,
          group: 'autoscaling',
          version: 'v1',
          kind: 'Scale',
          verbs: ['get'],
        },
      ],
    });
    expect(JSON.parse((await world.get('/api', { accept: 'application/json' })).text)).toMatchObject({
      kind: 'APIVersions',
      versions: ['v1'],
    });
    await expect(world.get('/apis/other.com/v1')).rejects.toMatchObject({ code: 'Unavailable' });
    const replica = { reader: () => ({ get: () => undefined }) } as never;
    const types = createTypes({ archive: world.archive, replica });
    expect(types.kindOf('example.com/v1/things')).toBe('Thing');
    expect(types.kindOf('v1/pods')).toBe('Pod');
    expect(types.kindOf('example.com/v2/things')).toBeUndefined();
  });

  it('are forgotten, the longest unused first, when there are too many', async () => {
    world = new World(store, { maxEntries: 2 });
    world.go('online');
    for (const path of ['/version', '/openapi/v2', '/version', '/openapi/v3']) await world.get(path);
    world.go('offline');
    expect((await world.get('/version')).status).toBe(200);
    await expect(world.get('/openapi/v2')).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it.each([
    ['/healthz', 'ok'],
    ['/livez/ping', 'ok'],
    ['/readyz?verbose', '[+]ping ok\n[+]hub ok\nreadyz check passed\n'],
    ['/healthz/etcd', '404 page not found\n'],
  ])('include %s, which the hub answers itself offline', async (path, text) => {
    world.go('offline');
    expect((await world.get(path)).text).toBe(text);
    world.go('online');
    await world.get(path);
    expect(world.sent).toHaveLength(1);
  });

  it.each([
    ['/api/v1', 'document'],
    ['/apis/apps/v1/', 'document'],
    ['/api/v1/pods', 'other'],
    ['/apis/apps/v1/deployments', 'other'],
    ['/openapi/v3/api/v1', 'document'],
    ['/openid/v1/jwks', 'document'],
    ['/readyz/etcd', 'health'],
    ['/metrics', 'other'],
    ['/healthzz', 'other'],
  ])('%s is %s', (path, kind) => {
    expect(documentPath(path).kind).toBe(kind);
  });

  const proto = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf';
  it.each([
    ['application/com.github.proto-openapi.spec.v3@v1.0+protobuf', proto],
    [
      `${aggregated},application/json`,
      'application/json;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2',
    ],
    ['application/json', 'application/json'],
    ['application/json;q=0.1, application/*', proto],
    [undefined, 'application/json'],
    ['text/html', undefined],
  ])('%s is answered with %s', (accept, expected) => {
    const held = [
      proto,
      'application/json;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2',
      'application/json',
    ];
    expect(chooseMedia(accept, held)).toBe(expected);
  });
});
