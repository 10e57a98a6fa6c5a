import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { type KubeObject, type Resource, createIndexedStore, keyOf, resources } from '@selvedge/kube';
import type { ControllerRevision } from '@selvedge/kube/types';
import { describe, expect, test } from 'vitest';
import { type SeenChild, createKeep } from '../children/index.ts';
import { createAppMetrics } from '../metrics.ts';
import { appIndexers } from '../owner.ts';
import { appOf, specOf } from '../testing.ts';
import { AppView } from '../view/index.ts';
import { type History, type HistoryDeps, createHistory } from './history.ts';

const { signal } = new AbortController();
const app = appOf(specOf('till:1', { secrets: [{ name: 'key', stringData: { key: 'hidden' } }] }));

/** What the API server has. */
class Server {
  readonly objects = new Map<string, KubeObject>();
  writes = 0;

  /** Of a process that is new and sees what there is; it is told of nothing more. */
  history(): History {
    const keep = createKeep();
    const empty = createIndexedStore<never>();
    const secrets = createIndexedStore<SeenChild>({ keep, indexers: appIndexers });
    const revisions = createIndexedStore<ControllerRevision>({ indexers: appIndexers });
    secrets.replace(this.#of(resources.secrets), '9');
    revisions.replace(this.#of(resources.controllerRevisions) as ControllerRevision[], '9');
    const children = [{ resource: resources.secrets, objects: secrets }];
    const view = new AppView({ apps: empty, units: empty, revisions, pods: empty, children, keep });
    const client = { get: this.#get, create: this.#create } as unknown as HistoryDeps['client'];
    return createHistory({ client, view, metrics: createAppMetrics(createMetricsRegistry(), () => []) });
  }

  get names(): readonly string[] {
    return Array.from(this.objects.keys(), (key) => key.slice(0, key.indexOf('/')));
  }

  #of({ plural }: Resource<KubeObject>): readonly KubeObject[] {
    return Array.from(this.objects).flatMap(([key, object]) =>
      key.startsWith(`${plural}/`) ? [object] : [],
    );
  }

  readonly #create = async (resource: Resource<KubeObject>, object: KubeObject): Promise<KubeObject> => {
    const key = `${resource.plural}/${keyOf(object)}`;
    if (this.objects.has(key)) throw new SelvedgeError('there', { code: 'AlreadyExists' });
    this.writes += 1;
    const version = String(this.writes);
    const made = { ...object, metadata: { ...object.metadata, uid: version, resourceVersion: version } };
    this.objects.set(key, made);
    return made;
  };

  readonly #get = async (
    resource: Resource<KubeObject>,
    at: { readonly namespace: string; readonly name: string },
  ): Promise<KubeObject> => {
    const found = this.objects.get(`${resource.plural}/${at.namespace}/${at.name}`);
    if (found === undefined) throw new SelvedgeError('none', { code: 'NotFound' });
    return found;
  };
}

describe('the Secret of a revision', () => {
  test('is made before it, and anew when it is gone', async () => {
    const server = new Server();
    const history = server.history();
    for (let look = 0; look < 2; look += 1) await history.keep(app, new Set(), signal);
    expect(server.names).toEqual(['secrets', 'controllerrevisions']);
    const [secret = ''] = server.objects.keys();
    server.objects.delete(secret);
    const { wanted, problem } = await server.history().keep(app, new Set(), signal);
    expect([wanted?.number, problem, server.names]).toEqual([
      1,
      undefined,
      ['controllerrevisions', 'secrets'],
    ]);
    await server.history().keep(app, new Set(), signal);
    expect(server.writes).toBe(3);
  });

  test('is not that of a UnitApp that had the name before, which goes with that', async () => {
    const server = new Server();
    const before = { ...app, metadata: { ...app.metadata, uid: 'before' } };
    await server.history().keep(before, new Set(), signal);
    const history = server.history();
    const { wanted, problem } = await history.keep(app, new Set(), signal);
    expect([wanted, problem]).toEqual([
      undefined,
      expect.stringMatching(/^the Secret till-\w+ is there and is not this UnitApp's$/),
    ]);
    server.objects.clear();
    expect((await history.keep(app, new Set(), signal)).wanted?.number).toBe(1);
    expect(server.names).toEqual(['secrets', 'controllerrevisions']);
  });
});
