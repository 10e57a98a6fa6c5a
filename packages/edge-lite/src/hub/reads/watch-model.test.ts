import { fc, test as property } from '@fast-check/vitest';
import type { KubeObject } from '@selvedge/kube';
import { beforeEach, describe, expect } from 'vitest';
import { EventReader, ReadsWorld, podOf } from './testing.ts';

const one = { namespace: 'a', name: 'one' };
const two = { namespace: 'a', name: 'two' };

let world: ReadsWorld;
beforeEach(() => {
  world = new ReadsWorld();
  world.pods.change(one, podOf({ app: 'x' }));
  world.pods.change(two, podOf({ app: 'y' }));
});

type Step = { readonly namespace: string; readonly name: string; readonly app: string | undefined };

const step: fc.Arbitrary<Step> = fc.record({
  namespace: fc.constantFrom('a', 'b'),
  name: fc.constantFrom('one', 'two', 'three'),
  app: fc.constantFrom('x', 'y', undefined),
});
const change = ({ namespace, name, app }: Step): void => {
  world.pods.change({ namespace, name }, app === undefined ? undefined : podOf({ app }));
};

/** What a client knows that begins with a list and follows its watch. */
class Client {
  readonly objects = new Map<string, string>();

  keep({ metadata }: KubeObject): void {
    this.objects.set(`${metadata.namespace}/${metadata.name}`, metadata.resourceVersion ?? '');
  }

  drop({ metadata }: KubeObject): void {
    this.objects.delete(`${metadata.namespace}/${metadata.name}`);
  }

  async list(url: string): Promise<string> {
    this.objects.clear();
    const { items, metadata } = (await world.json(url)) as {
      items: KubeObject[];
      metadata: { resourceVersion: string };
    };
    for (const object of items) this.keep(object);
    return metadata.resourceVersion;
  }
}

describe('a client that lists and then watches', () => {
  const selections = [
    '',
    'labelSelector=app%3Dx',
    'fieldSelector=metadata.name%3Dtwo',
    'labelSelector=app!%3Dy',
  ];
  const places = ['/api/v1/pods', '/api/v1/namespaces/a/pods'];
  property.prop([
    fc.array(step, { maxLength: 20 }),
    fc.array(step, { maxLength: 20 }),
    fc.constantFrom(...selections),
    fc.constantFrom(...places),
  ])('misses nothing and hears nothing twice', async (before, after, selection, place) => {
    world = new ReadsWorld();
    for (const early of before) change(early);
    const url = `${place}?resourceVersion=0&${selection}`;
    const client = new Client();
    const version = await client.list(url);
    for (const late of after) change(late);
    const query = `watch=true&resourceVersion=${version}&timeoutSeconds=1&${selection}`;
    const events = new EventReader(await world.send(`${place}?${query}`));
    let seen = BigInt(version);
    const next = async (): ReturnType<EventReader['next']> => {
      const pending = events.next();
      await world.clock.advance(2_000);
      return await pending;
    };
    for (let event = await next(); event !== undefined; event = await next()) {
      const { type, object } = event;
      const known = client.objects.has(`${object.metadata.namespace}/${object.metadata.name}`);
      expect(known).toBe(type !== 'ADDED');
      expect(BigInt(object.metadata.resourceVersion ?? '')).toBeGreaterThan(seen);
      seen = BigInt(object.metadata.resourceVersion ?? '');
      if (type === 'DELETED') client.drop(object);
      else client.keep(object);
    }
    const fresh = new Client();
    await fresh.list(url);
    expect(client.objects).toEqual(fresh.objects);
  });
});
