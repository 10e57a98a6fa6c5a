import { SelvedgeError, createLimiter, createMetricsRegistry } from '@selvedge/kit';
import {
  type IndexedStore,
  type JsonObject,
  type KubeObject,
  createIndexedStore,
  mergePatched,
  resources,
} from '@selvedge/kube';
import { describe, expect, test } from 'vitest';
import { AppView } from '../view/index.ts';
import { createAppMetrics } from '../metrics.ts';
import { appIndexers } from '../owner.ts';
import { applied, fieldsOf, intentNamed, specOf } from '../testing.ts';
import { type Keeper, type KeeperDeps, createKeeper } from './keeper.ts';
import { type SeenChild, createKeep } from '../children/index.ts';

const { signal } = new AbortController();
const intent = intentNamed('Deployment');
const owner = 'app';

/** What the API server has, and makes of an apply. */
class Server {
  present: KubeObject | undefined;
  /** Told to watchers when the test says so. */
  readonly store: IndexedStore<SeenChild>;
  readonly sent: (readonly [string, unknown])[] = [];
  /** What becomes of an object on its way in. */
  admit: (object: KubeObject) => KubeObject = (object) => object;
  readonly keeper: Keeper;

  constructor(present?: KubeObject) {
    const keep = createKeep();
    this.store = createIndexedStore<SeenChild>({ keep, indexers: appIndexers });
    this.present = present;
    const empty = createIndexedStore<never>();
    const children = [{ resource: resources.deployments, objects: this.store }];
    const view = new AppView({ apps: empty, units: empty, revisions: empty, pods: empty, children, keep });
    const client = {
      get: this.#get,
      patch: this.#patch,
      delete: this.#delete,
    } as unknown as KeeperDeps['client'];
    const metrics = createAppMetrics(createMetricsRegistry(), () => []);
    this.keeper = createKeeper({ client, view, metrics, limiter: createLimiter({ capacity: 1 }) });
  }

  readonly #get = async (): Promise<KubeObject> => {
    if (this.present === undefined) throw new SelvedgeError('none', { code: 'NotFound' });
    return this.present;
  };

  readonly #delete = async (): Promise<void> => {
    this.sent.push(['delete', undefined]);
  };

  readonly #patch = async (
    _: unknown,
    __: unknown,
    { patch }: { patch: { type: string; body: JsonObject } },
  ): Promise<KubeObject> => {
    const { metadata = {} } = patch.body as { metadata?: KubeObject['metadata'] };
    this.sent.push([patch.type, patch.body]);
    if (patch.type.includes('json-patch')) {
      const { value } = (patch.body as unknown as { value: JsonObject }[])[1] ?? {};
      const released = applied((this.present ?? intent.made) as KubeObject & JsonObject, value);
      this.present = released;
      return released;
    }
    const isStale = metadata.resourceVersion !== undefined && this.present !== undefined;
    if (isStale && metadata.resourceVersion !== this.present?.metadata.resourceVersion) {
      throw new SelvedgeError('changed', { code: 'Conflict' });
    }
    const whole = mergePatched(this.present ?? {}, patch.body) as KubeObject & JsonObject;
    const {
      metadata: meta,
      apiVersion: _a,
      kind: _k,
      ...body
    } = patch.body as unknown as KubeObject & JsonObject;
    const { uid: _u, resourceVersion: _r, name: _n, namespace: _s, ...own } = meta;
    const admitted = this.admit(applied(whole, fieldsOf({ ...body, metadata: own })));
    this.present = admitted;
    return admitted;
  };
}

describe('a keeper', () => {
  test('makes what is not there with one request, and then does nothing', async () => {
    const server = new Server();
    expect(await server.keeper.keep(intent, { owner, signal })).toBe(false);
    expect(await server.keeper.keep(intent, { owner, signal })).toBe(true);
    expect(server.sent).toHaveLength(1);
    expect(server.present).toMatchObject({ spec: { replicas: 2 } });
  });

  test('never takes over what is of somebody else', async () => {
    const theirs = { metadata: { name: 'till-shop-1', namespace: 'shops', resourceVersion: '5', uid: 'x' } };
    const server = new Server(theirs);
    const why = "the Deployment till-shop-1 is there and is not this UnitApp's";
    await expect(server.keeper.keep(intent, { owner, signal })).rejects.toMatchObject({
      code: 'Invalid',
      message: why,
    });
    expect(server.present).toBe(theirs);
  });

  test('knows what is its own although it had not heard of it', async () => {
    const server = new Server(applied(intentNamed('Deployment', specOf('till:0')).made));
    await server.keeper.keep(intent, { owner, signal });
    expect(server.present).toMatchObject({
      spec: { template: { spec: { containers: [{ image: 'till:1' }] } } },
    });
  });

  test('does no step that another has done in between', async () => {
    const server = new Server();
    await server.keeper.keep(intentNamed('Deployment', specOf('till:2'), 2), { owner, signal });
    const late = { owner, signal, step: { from: undefined } };
    await expect(server.keeper.keep(intent, late)).rejects.toMatchObject({ code: 'Conflict' });
    await expect(server.keeper.keep(intent, { ...late, step: { from: 1 } })).rejects.toMatchObject({
      code: 'Conflict',
    });
    expect(await server.keeper.keep(intent, { ...late, step: { from: 2 } })).toBe(false);
  });

  test('gives fields up before it applies without them: they keep what they are', async () => {
    const server = new Server();
    await server.keeper.keep(intent, { owner, signal });
    const left = intentNamed('Deployment', specOf('till:2', { unmanagedFields: ['/spec/replicas'] }));
    await server.keeper.keep(left, { owner, signal });
    expect(server.sent.map(([type]) => type)).toEqual([
      'application/apply-patch+yaml',
      'application/json-patch+json',
      'application/apply-patch+yaml',
    ]);
    expect(server.present).toMatchObject({ spec: { replicas: 2 } });
    expect(await server.keeper.keep(left, { owner, signal })).toBe(true);
  });

  test('does not fight a webhook that changes what is applied each time', async () => {
    const server = new Server();
    server.admit = (object) => applied(object as KubeObject & JsonObject, { 'f:metadata': {} });
    await server.keeper.keep(intent, { owner, signal });
    const sent = server.sent.length;
    expect(sent).toBeLessThanOrEqual(2);
    for (let pass = 0; pass < 3; pass += 1) await server.keeper.keep(intent, { owner, signal });
    expect(server.sent).toHaveLength(sent);
    await server.keeper.keep(intentNamed('Deployment', specOf('till:2')), { owner, signal });
    expect(server.sent.length).toBeGreaterThan(sent);
  });
});
