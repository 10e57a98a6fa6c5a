import type { KubeObject } from '@selvedge/kube';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import { createTestReplica } from '../replica/testing.ts';
import type { ApplyViews, HeldResource, Replica } from '../replica/types.ts';
import type { HubHandler, HubResponse } from '../request.ts';
import { createAltered } from './altered.ts';
import { createForward } from './forward.ts';
import {
  type ScriptedAnswer,
  type ScriptedUpstream,
  hubRequest,
  jsonOf,
  scriptedUpstream,
} from './testing.ts';

interface Trust extends KubeObject {
  readonly data: Readonly<Record<string, string>>;
}

const resource: HeldResource = 'v1/configmaps';
const trust = (name: string, version = '7', namespace = 'a'): Trust => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name, uid: `uid-${name}`, resourceVersion: version },
  data: { 'ca.crt': 'cluster' },
});
const shown: Trust['data'] = { 'ca.crt': 'cluster hub' };
const views: ApplyViews = (_resource, object) => ({ ...object, data: shown }) as KubeObject;
const status = (name: string): KubeObject =>
  ({ apiVersion: 'v1', kind: 'Status', metadata: {}, name }) as KubeObject;
const maps = '/api/v1/namespaces/a/configmaps';

let temporary: TemporaryStore;
let replica: Replica;
let upstream: ScriptedUpstream;
let answer: ScriptedAnswer;
let forward: HubHandler;
beforeEach(async () => {
  temporary = await createTemporaryStore();
  replica = createTestReplica(temporary.store, {}, { applyViews: views });
  upstream = scriptedUpstream(() => answer);
  forward = createForward(
    {},
    {
      upstream,
      replica,
      views,
      translateBody: ({ bytes }) => bytes,
      takeOver: (learn) => learn(),
      remember: () => undefined,
      clock: { now: () => 0 },
    },
  );
});
afterEach(() => temporary[Symbol.asyncDispose]());

function hold(namespace: string, ...items: readonly KubeObject[]): number {
  const { id } = replica.addCoverage({ resource, namespace, labelSelector: '', fieldSelector: '' });
  const relist = replica.relist(id);
  relist.add(items);
  relist.commit('10');
  return id;
}

async function send(method: string, url: string, given: object, body?: object): Promise<HubResponse> {
  answer = { body: given };
  return forward(hubRequest(method, url, { body }));
}

async function read(name: string): Promise<Trust> {
  const object = await jsonOf<Trust & Record<string, unknown>>(
    await send('GET', `${maps}/${name}`, trust(name)),
  );
  expect(object.data).toEqual(shown);
  return object;
}

/** The data that upstream is sent. */
const sent = (): unknown => (upstream.bodies().at(-1) as Trust).data;
const listOf = (items: readonly KubeObject[]): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMapList',
  metadata: { resourceVersion: '20' },
  items,
});

describe('an object that is not held', () => {
  it('is undone however many were shown that are', async () => {
    const object = await read('mine');
    const held = Array.from({ length: 65 }, (_, i) => trust(`held-${i}`, '7', 'b'));
    hold('b', ...held);
    await jsonOf(await send('GET', '/api/v1/namespaces/b/configmaps', listOf(held)));
    await send('PUT', `${maps}/mine`, trust('mine'), object);
    expect(sent()).toEqual(trust('mine').data);
  });
});

describe('one that was deleted', () => {
  it.each([
    ['held', true],
    ['not held', false],
  ])('and is %s is created again as upstream had it', async (_what, isHeld) => {
    const id = isHeld ? hold('a', trust('mine')) : undefined;
    const object = await read('mine');
    await jsonOf(await send('DELETE', `${maps}/mine`, status('Success')));
    if (id !== undefined) replica.apply(id, [{ type: 'delete', object: trust('mine', '11') }], '11');
    expect(replica.base(resource, { namespace: 'a', name: 'mine' })).toBeUndefined();
    await send('POST', maps, trust('mine', '12'), object);
    expect(sent()).toEqual(trust('mine').data);
    await send('POST', maps, trust('other', '13'), { ...object, metadata: { name: 'other' } });
    expect(sent()).toEqual(shown);
  });

  it('with its collection is, too', async () => {
    const id = hold('a', trust('mine'));
    const object = await read('mine');
    await jsonOf(await send('DELETE', maps, listOf([trust('mine')])));
    replica.apply(id, [{ type: 'delete', object: trust('mine', '11') }], '11');
    await send('POST', maps, trust('mine', '12'), object);
    expect(sent()).toEqual(trust('mine').data);
  });

  it('is created with what somebody says anew', async () => {
    await read('mine');
    await jsonOf(await send('DELETE', `${maps}/mine`, status('Success')));
    const data = { 'ca.crt': 'of my own' };
    await send('POST', maps, trust('mine', '12'), { ...trust('mine'), data });
    expect(sent()).toEqual(data);
  });
});

test('what is kept of shown objects has a cap in characters: the oldest goes, the largest is not kept', () => {
  const altered = createAltered({ maxLength: 1_000 }, { replica: { base: () => undefined }, views });
  const note = (name: string, length: number): void => {
    const base: Trust = { ...trust(name), data: { x: 'x'.repeat(length) } };
    altered.note(resource, { base, viewed: trust(name) });
  };
  const kept = (): readonly string[] =>
    ['a', 'b', 'c', 'd'].filter((name) => altered.viewed(resource, { namespace: 'a', name }) !== undefined);
  for (const name of ['a', 'b', 'c']) note(name, 100);
  expect(kept()).toEqual(['b', 'c']);
  note('d', 1_000);
  expect(kept()).toEqual(['b', 'c']);
  note('b', 600);
  expect(kept()).toEqual(['b']);
  altered.note(resource, { base: trust('b'), viewed: trust('b') });
  note('c', 100);
  note('d', 100);
  expect(kept()).toEqual(['c', 'd']);
});
