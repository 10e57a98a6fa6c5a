import { fc, test as property } from '@fast-check/vitest';
import { beforeEach, describe, expect, it } from 'vitest';
import { SelvedgeError } from '@selvedge/kit';
import { statusOf } from '../answers/index.ts';
import { ReadsWorld, podOf } from './testing.ts';

let world: ReadsWorld;
beforeEach(() => {
  world = new ReadsWorld();
  world.pods.change({ namespace: 'a', name: 'one' }, podOf({ app: 'x' }));
  world.pods.change({ namespace: 'a', name: 'two' }, podOf({ app: 'y' }, 'm'));
  world.pods.change({ namespace: 'b', name: 'one' }, podOf({ app: 'x' }));
});

const namesIn = (list: unknown): readonly string[] =>
  (list as { items: { metadata: { namespace: string; name: string } }[] }).items.map(
    ({ metadata }) => `${metadata.namespace}/${metadata.name}`,
  );
const metaOf = (list: unknown): { resourceVersion: string; continue?: string } =>
  (list as { metadata: { resourceVersion: string; continue?: string } }).metadata;

async function refusalOf(url: string): Promise<string> {
  try {
    await world.send(url);
    return 'none';
  } catch (error) {
    const { code, reason, message } = statusOf(error);
    return `${code} ${reason}: ${message}`;
  }
}

describe('GET of one object', () => {
  const url = '/api/v1/namespaces/a/pods/one';

  it('asks upstream while it can be reached', async () => {
    expect((await world.send(url)).headers['x-from']).toBe('upstream');
  });

  it('is answered here when any state will do', async () => {
    const object = await world.json(`${url}?resourceVersion=0`);
    expect(object).toMatchObject({ kind: 'Pod', metadata: { name: 'one', resourceVersion: '1001' } });
    expect(world.forwarded).toHaveLength(0);
  });

  it('is left to upstream when the state here is too old, or no set holds it', async () => {
    await world.send(`${url}?resourceVersion=99999`);
    world.coverages = [];
    await world.send(`${url}?resourceVersion=0`);
    expect(world.forwarded).toHaveLength(2);
  });

  it('is left to upstream when nobody keeps the set that holds it up to date', async () => {
    world.coverageState = { kind: 'suspended', reason: 'no sponsor' };
    expect((await world.send(`${url}?resourceVersion=0`)).headers['x-from']).toBe('upstream');
    world.cut();
    expect(await world.json(`${url}?resourceVersion=0`)).toMatchObject({ metadata: { name: 'one' } });
  });

  it('says since when it may be old while the node is on its own', async () => {
    world.cut();
    const { status, headers } = await world.send(url);
    expect(status).toBe(200);
    expect(headers['warning']).toBe(
      '299 selvedge "node shop-7 is autonomous since 2026-01-01T00:00:00Z: this may be older than what the cluster has"',
    );
  });

  it('takes a link that breaks under the request for a cut', async () => {
    world.forward = async () => {
      throw new SelvedgeError('gone', { code: 'Unavailable' });
    };
    expect(await world.json(url)).toMatchObject({ metadata: { name: 'one' } });
  });

  it('claims absence only where a complete set proves it', async () => {
    world.cut();
    const missing = '/api/v1/namespaces/a/pods/three';
    expect(await refusalOf(missing)).toBe('404 NotFound: pods "three" not found');
    world.synced = false;
    const unknown = '503 ServiceUnavailable: node shop-7 is autonomous since 2026-01-01T00:00:00Z: ';
    expect(await refusalOf(missing)).toBe(`${unknown}pods "three" in namespace "a" is not available`);
    world.synced = true;
    world.coverages = [];
    expect(await refusalOf(missing)).toContain('503 ServiceUnavailable');
  });

  it('shows nothing to those who have no right or whose right nobody knows', async () => {
    world.cut();
    world.mayRead = false;
    expect(await refusalOf(url)).toBe(
      '403 Forbidden: pods "one" is forbidden: User "system:node:shop-7" cannot get resource "pods" in API group "" in the namespace "a"',
    );
    world.mayRead = undefined;
    expect(await refusalOf(url)).toContain('503 ServiceUnavailable');
  });

  it('shows a pod to the kubelet that follows the pods of its node', async () => {
    world.cut();
    world.asked = false;
    world.coverages = [
      { resource: 'v1/pods', namespace: '', labelSelector: '', fieldSelector: 'spec.nodeName=n' },
      { resource: 'v1/pods', namespace: '', labelSelector: '', fieldSelector: 'spec.nodeName=m' },
    ];
    expect(await world.json(url)).toMatchObject({ metadata: { name: 'one' } });
    world.coverages.shift();
    expect(await refusalOf(url)).toContain('503 ServiceUnavailable');
  });

  it('shows an object to whoever got it before, in the state of now', async () => {
    world.cut();
    world.mayRead = undefined;
    world.remembered.set('system:node:shop-7/one', '{}');
    expect(await world.json(url)).toMatchObject({ metadata: { name: 'one' } });
  });

  it('takes the status for the object, and leaves other subresources alone', async () => {
    world.cut();
    expect(await world.json(`${url}/status`)).toMatchObject({ kind: 'Pod', metadata: { name: 'one' } });
    expect(await refusalOf(`${url}/log`)).toContain('503 ServiceUnavailable');
  });

  it('gives back what the same identity read before, and nobody else', async () => {
    world.cut();
    const volume = '/api/v1/persistentvolumes/v';
    world.remembered.set('system:node:shop-7/v', '{"metadata":{"name":"v"}}');
    expect(await world.json(volume)).toEqual({ metadata: { name: 'v' } });
    const caller = { kind: 'token', token: '', pod: undefined, user: { username: 'u', groups: [] } } as const;
    await expect(world.send(volume, { caller })).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('gives nothing back that upstream has refused since', async () => {
    const volume = '/api/v1/persistentvolumes/v';
    world.remembered.set('system:node:shop-7/v', '{"metadata":{"name":"v"}}');
    world.forward = async () => ({ status: 403, headers: {}, body: Buffer.from('{}') });
    await world.send(volume);
    world.cut();
    await expect(world.send(volume)).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it("is not answered here in somebody else's name", async () => {
    const headers = { 'impersonate-user': 'someone' };
    await world.send(`${url}?resourceVersion=0`, { headers });
    expect(world.forwarded).toHaveLength(1);
    world.cut();
    await expect(world.send(url, { headers })).rejects.toMatchObject({ code: 'Unavailable' });
  });

  it('writes only metadata, a table or YAML when asked', async () => {
    world.cut();
    const as = (accept: string): Partial<Parameters<ReadsWorld['send']>[1]> => ({ headers: { accept } });
    const partial = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
    expect(await world.json(url, as(partial))).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { name: 'one', namespace: 'a', resourceVersion: '1001', labels: { app: 'x' } },
    });
    const table = 'application/json;as=Table;g=meta.k8s.io;v=v1, application/json';
    expect(await world.json(url, as(table))).toMatchObject({
      kind: 'Table',
      metadata: { resourceVersion: '1001' },
      rows: [{ object: { kind: 'PartialObjectMetadata', metadata: { name: 'one' } } }],
    });
    expect((await world.send(url, as('application/yaml'))).headers['content-type']).toBe('application/yaml');
    await expect(world.send(url, as('application/vnd.kubernetes.protobuf'))).rejects.toMatchObject({
      details: { status: 406 },
    });
  });
});

describe('LIST', () => {
  it('asks upstream for the state of now, and answers here when any will do', async () => {
    await world.send('/api/v1/pods');
    await world.send('/api/v1/pods?resourceVersion=1001&resourceVersionMatch=Exact');
    await world.send('/api/v1/pods?limit=1&resourceVersion=1001');
    await world.send('/api/v1/pods?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ');
    await world.send('/api/v1/pods?resourceVersion=5000&resourceVersionMatch=NotOlderThan');
    expect(world.forwarded).toHaveLength(5);
    const list = await world.json('/api/v1/pods?resourceVersion=0&limit=1');
    expect(list).toMatchObject({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '1003' } });
    expect(namesIn(list)).toEqual(['a/one', 'a/two', 'b/one']);
    expect(namesIn(await world.json('/api/v1/pods?resourceVersion=1002'))).toHaveLength(3);
    expect(world.forwarded).toHaveLength(5);
    expect(world.holds).toBe(0);
  });

  it.each([
    ['/api/v1/namespaces/a/pods', ['a/one', 'a/two']],
    ['/api/v1/pods?labelSelector=app%3Dx', ['a/one', 'b/one']],
    ['/api/v1/pods?fieldSelector=spec.nodeName%3Dm', ['a/two']],
    ['/api/v1/pods?fieldSelector=metadata.name%3Done&labelSelector=app', ['a/one', 'b/one']],
    ['/api/v1/pods?resourceVersion=1001&resourceVersionMatch=Exact', ['a/one']],
  ])('selects offline: %s', async (url, names) => {
    world.cut();
    expect(namesIn(await world.json(url))).toEqual(names);
  });

  it('goes on in the state in which it began, whatever happens meanwhile', async () => {
    world.cut();
    const first = await world.json('/api/v1/pods?limit=1');
    expect(namesIn(first)).toEqual(['a/one']);
    world.pods.change({ namespace: 'a', name: 'two' }, undefined);
    const next = await world.json(`/api/v1/pods?limit=1&continue=${metaOf(first).continue}`);
    expect(namesIn(next)).toEqual(['a/two']);
    expect(metaOf(next).resourceVersion).toBe(metaOf(first).resourceVersion);
    const last = await world.json(`/api/v1/pods?limit=1&continue=${metaOf(next).continue}`);
    expect(namesIn(last)).toEqual(['b/one']);
    expect(metaOf(last).continue).toBeUndefined();
  });

  it('offers to go on inconsistently when that state is forgotten', async () => {
    world.cut();
    const first = await world.json('/api/v1/pods?limit=1');
    world.pods.change({ namespace: 'a', name: 'two' }, undefined);
    world.pods.floor = world.pods.version;
    const token = metaOf(first).continue ?? '';
    const error: unknown = await world
      .send(`/api/v1/pods?continue=${token}`)
      .catch((thrown: unknown) => thrown);
    const status = statusOf(error);
    expect(status).toMatchObject({
      code: 410,
      reason: 'Expired',
      metadata: { continue: expect.any(String) },
    });
    const { continue: fresh } = status.metadata as { continue: string };
    expect(namesIn(await world.json(`/api/v1/pods?continue=${fresh}`))).toEqual(['b/one']);
  });

  it.each([
    ['continue=!', '400 BadRequest: invalid continue token: continue key is not valid'],
    ['resourceVersion=7', '410 Expired: too old resource version: 7', 'resourceVersionMatch=Exact'],
    [
      'resourceVersion=x',
      '400 BadRequest: invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
    ],
    [
      'resourceVersionMatch=Exact',
      '422 Invalid: ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ],
    ['fieldSelector=spec.x%3D1', '400 BadRequest: field label not supported: spec.x'],
  ])('refuses %s', async (query, expected, more = '') => {
    world.cut();
    expect(await refusalOf(`/api/v1/pods?${query}&${more}`)).toBe(expected);
  });

  it('has pagers begin anew where the cloud went or came back between two pages', async () => {
    world.cut();
    const expected =
      '410 Expired: The provided continue parameter is too old to display a consistent list result. ' +
      'You can start a new list without the continue parameter.';
    expect(await refusalOf('/api/v1/pods?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ')).toBe(expected);
    const own = metaOf(await world.json('/api/v1/pods?limit=1')).continue;
    world.connectivity = { kind: 'online', sinceMs: 0, server: 'https://cloud' };
    world.coverageState = { kind: 'suspended', reason: 'no sponsor' };
    expect(await refusalOf(`/api/v1/pods?continue=${own}`)).toBe(expected);
    expect(world.forwarded).toEqual([]);
  });

  it('refuses a token of another question', async () => {
    world.cut();
    const token = metaOf(await world.json('/api/v1/pods?limit=1')).continue;
    expect(await refusalOf(`/api/v1/pods?labelSelector=app&continue=${token}`)).toContain('400 BadRequest');
  });

  it('is never empty for want of knowledge', async () => {
    world.cut();
    expect(await refusalOf('/api/v1/secrets')).toBe(
      '503 ServiceUnavailable: node shop-7 is autonomous since 2026-01-01T00:00:00Z: secrets is not available',
    );
    world.synced = false;
    expect(await refusalOf('/api/v1/pods')).toContain('503 ServiceUnavailable');
  });

  it('leaves to upstream what nobody here keeps up to date', async () => {
    world.coverageState = { kind: 'suspended', reason: 'no sponsor' };
    await world.send('/api/v1/pods?resourceVersion=0');
    world.coverageState = { kind: 'live' };
    world.mayRead = false;
    await world.send('/api/v1/pods?resourceVersion=0');
    expect(world.forwarded).toHaveLength(2);
  });

  it('is written as a table or as metadata', async () => {
    world.cut();
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
    const table = await world.json('/api/v1/pods?includeObject=None', { headers });
    expect(table).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      rows: [{ object: null }, {}, {}],
    });
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1';
    const list = await world.json('/api/v1/pods', { headers: { accept } });
    expect(list).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1beta1' });
    expect(list).toMatchObject({ items: [{ kind: 'PartialObjectMetadata' }, {}, {}] });
  });

  it('compresses what is large for those who take it', async () => {
    world.cut();
    for (let at = 0; at < 300; at += 1) {
      world.pods.change({ namespace: 'c', name: `p${at}` }, podOf({ filler: 'x'.repeat(1_000) }));
    }
    const headers = { 'accept-encoding': 'deflate, gzip' };
    expect((await world.send('/api/v1/pods', { headers })).headers['content-encoding']).toBe('gzip');
    expect((await world.send('/api/v1/pods')).headers['content-encoding']).toBeUndefined();
    const small = await world.send('/api/v1/namespaces/a/pods', { headers });
    expect(small.headers['content-encoding']).toBeUndefined();
  });
});

describe('any parameters', () => {
  const value = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom('0', '1', '1002', 'true', 'Exact', 'a=b'),
  );
  const names = ['limit', 'continue', 'resourceVersion', 'resourceVersionMatch', 'sendInitialEvents'];
  const more = ['labelSelector', 'fieldSelector', 'timeoutSeconds', 'watch', 'includeObject', 'pretty'];
  const query = fc.dictionary(fc.constantFrom(...names, ...more), value, { maxKeys: 5 });
  const accept = fc.constantFrom(
    '*/*',
    'application/json;as=Table;v=v1;g=meta.k8s.io',
    'application/yaml',
    ';;,',
  );

  property.prop([query, accept, fc.boolean()])(
    'are answered or refused',
    async (parameters, header, online) => {
      world = new ReadsWorld();
      world.pods.change({ namespace: 'a', name: 'one' }, podOf({ app: 'x' }));
      if (!online) world.cut();
      try {
        const text = new URLSearchParams({ ...parameters }).toString();
        const response = await world.send(`/api/v1/pods?${text}`, { headers: { accept: header } });
        expect(response.status).toBe(200);
        if (!(response.body instanceof Uint8Array)) await response.body[Symbol.asyncIterator]().return?.();
      } catch (error) {
        expect(error).toBeInstanceOf(SelvedgeError);
        expect(statusOf(error).code).toBeOneOf([400, 406, 410, 422]);
      }
    },
  );
});
