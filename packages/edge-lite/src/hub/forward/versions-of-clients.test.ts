import type { KubeObject } from '@selvedge/kube';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import { naturalText } from '../replica/index.ts';
import { createTestReplica } from '../replica/testing.ts';
import type { HeldResource, Replica } from '../replica/types.ts';
import type { HubHandler, HubResponse } from '../request.ts';
import { createForward } from './forward.ts';
import {
  type ScriptedAnswer,
  type ScriptedUpstream,
  bytesOf,
  hubRequest,
  jsonOf,
  scriptedUpstream,
} from './testing.ts';

const object = (kind: string, name: string, version: string): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    ...(kind === 'Namespace' ? {} : { namespace: 'a' }),
    name,
    uid: `uid-${name}`,
    resourceVersion: version,
  },
});
const pod = (name: string, version: string): KubeObject => object('Pod', name, version);
const listOf = (version: string, items: readonly KubeObject[]): object => ({
  apiVersion: 'v1',
  kind: 'PodList',
  metadata: { resourceVersion: version },
  items,
});

let temporary: TemporaryStore;
let replica: Replica;
let upstream: ScriptedUpstream;
let answer: ScriptedAnswer;
let forward: HubHandler;
beforeEach(async () => {
  temporary = await createTemporaryStore();
  replica = createTestReplica(temporary.store);
  answer = {};
  upstream = scriptedUpstream(() => answer);
  forward = createForward(
    {},
    {
      upstream,
      replica,
      views: (_resource, one) => one,
      translateBody: ({ bytes }, translate) => {
        const body = JSON.parse(Buffer.from(bytes).toString()) as KubeObject;
        const resourceVersion = translate(body.metadata.resourceVersion ?? '');
        return Buffer.from(JSON.stringify({ ...body, metadata: { ...body.metadata, resourceVersion } }));
      },
      takeOver: (learn) => learn(),
      remember: () => undefined,
      clock: { now: () => 0 },
    },
  );
});
afterEach(() => temporary[Symbol.asyncDispose]());

function hold(resource: HeldResource, version: string, items: readonly KubeObject[], namespace = ''): number {
  const { id } = replica.addCoverage({ resource, namespace, labelSelector: '', fieldSelector: '' });
  const relist = replica.relist(id);
  relist.add(items);
  relist.commit(version);
  return id;
}

const shownOf = (resource: HeldResource, name: string, namespace = 'a'): KubeObject =>
  JSON.parse(replica.reader(resource).get({ namespace, name })?.json ?? '{}') as KubeObject;

/** Puts an object back as it was shown; the version that upstream is asked to compare. */
async function putBack(path: string, body: KubeObject): Promise<unknown> {
  answer = { status: 503, body: { kind: 'Status' } };
  await forward(hubRequest('PUT', path, { body }));
  const { metadata } = upstream.bodies().at(-1) as KubeObject;
  return metadata.resourceVersion;
}

const pods = '/api/v1/namespaces/a/pods';

describe('an object from the cache of a client is put back with the version of upstream', () => {
  it('when it came with a list and the rest was followed from there', async () => {
    answer = { body: listOf('100', [pod('one', '90'), pod('two', '50')]) };
    const list = await jsonOf<{ items: readonly KubeObject[] }>(await forward(hubRequest('GET', pods)));
    const id = hold('v1/pods', '100', [pod('one', '90'), pod('two', '50')]);
    for (const [index, version] of ['90', '50'].entries()) {
      const item = { ...pod('', ''), ...list.items[index] } as KubeObject;
      expect(await putBack(`${pods}/${item.metadata.name}`, item)).toBe(version);
    }
    replica.apply(id, [{ type: 'put', object: pod('two', '110') }], '110');
    expect(await putBack(`${pods}/two`, shownOf('v1/pods', 'two'))).toBe('110');
  });

  it('when it is a namespace', async () => {
    hold('v1/namespaces', '100', [object('Namespace', 'zoo', '90'), object('Namespace', 'foo', '50')]);
    expect(await putBack('/api/v1/namespaces/foo', shownOf('v1/namespaces', 'foo', ''))).toBe('50');
  });

  it.each([
    ['v1/pods;metadata', 'v1/pods'],
    ['v1/pods', 'v1/pods;metadata'],
  ])('when it came from %s, while %s is held too', async (from, other) => {
    for (const resource of [other, from]) hold(resource, '100', [pod('one', '90'), pod('two', '50')]);
    expect(await putBack(`${pods}/two`, shownOf(from, 'two'))).toBe('50');
  });

  it('when it came with a watch that went through, though the same is held', async () => {
    const id = hold('v1/pods', '100', [pod('one', '90')]);
    answer = { body: [Buffer.from(`${JSON.stringify({ type: 'ADDED', object: pod('one', '110') })}\n`)] };
    const line = (await bytesOf(await forward(hubRequest('GET', `${pods}?watch=1`)))).toString();
    replica.putOverlay({ resource: 'v1/pods', at: { namespace: 'a', name: 'one' }, current: pod('one', '') });
    replica.apply(id, [{ type: 'put', object: pod('one', '110') }], '110');
    const event = JSON.parse(line) as { readonly object: KubeObject };
    expect(await putBack(`${pods}/one`, event.object)).toBe('110');
  });

  it('but not when it was another one here since', async () => {
    const id = hold('v1/pods', '100', [pod('zero', '95'), pod('one', '90')]);
    const old = shownOf('v1/pods', 'one');
    const changed = { ...pod('one', '110'), status: { phase: 'Running' } } as KubeObject;
    replica.apply(id, [{ type: 'put', object: changed }], '110');
    await expect(putBack(`${pods}/one`, old)).rejects.toMatchObject({ code: 'Conflict' });
  });
});

describe('a version that upstream has not come to', () => {
  const asked = (): string | null =>
    new URLSearchParams(upstream.requests.at(-1)?.path.split('?')[1]).get('resourceVersion');

  it('is not waited for by a watch', async () => {
    hold('v1/pods', '100', []);
    answer = { body: [] };
    await forward(hubRequest('GET', `${pods}?watch=1&resourceVersion=${naturalText('100')}`));
    expect(asked()).toBe('100');
    const beyond = hubRequest('GET', `${pods}?watch=1&resourceVersion=${naturalText('1000000')}`);
    await expect(forward(beyond)).rejects.toMatchObject({ code: 'Gone' });
    expect(upstream.requests).toHaveLength(1);
  });

  it('is no more than the newest for a list, unless it must be that very one', async () => {
    hold('v1/pods', '100', []);
    answer = { body: listOf('100', []) };
    const version = `resourceVersion=${naturalText('1000000')}`;
    await forward(hubRequest('GET', `${pods}?${version}`));
    expect(asked()).toBe('100');
    await forward(hubRequest('GET', `${pods}?${version}&watch=1&sendInitialEvents=true`));
    expect(asked()).toBe('100');
    await forward(hubRequest('GET', `${pods}?${version}&resourceVersionMatch=Exact`));
    expect(asked()).toBe('1000000');
  });

  it.each([
    ['a list', { body: listOf('120', []) }, pods],
    ['an object', { body: pod('one', '120') }, `${pods}/one`],
    [
      'an event',
      { body: [Buffer.from(`${JSON.stringify({ type: 'ADDED', object: pod('one', '120') })}\n`)] },
      `${pods}?watch=1`,
    ],
    [
      'a bookmark',
      {
        body: [
          Buffer.from(
            `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '120' } } })}\n`,
          ),
        ],
      },
      `${pods}?watch=1`,
    ],
  ])('is known to be reached from %s', async (_what, first, url) => {
    hold('v1/pods', '100', [], 'b');
    answer = first;
    await bytesOf(await forward(hubRequest('GET', url)));
    answer = { body: [] };
    await forward(hubRequest('GET', `${pods}?watch=1&resourceVersion=${naturalText('120')}`));
    expect(asked()).toBe('120');
  });

  it('is left to upstream where nothing is known', async () => {
    answer = { body: [] };
    await forward(hubRequest('GET', `${pods}?watch=1&resourceVersion=${naturalText('1000000')}`));
    expect(asked()).toBe('1000000');
  });
});

describe('a watch that goes through', () => {
  const watch = async (version: bigint | string): Promise<unknown> =>
    await forward(hubRequest('GET', `${pods}?watch=1&resourceVersion=${version}`));

  it('goes on from a list that went through, however it is shown', async () => {
    hold('v1/pods', '100', []);
    answer = { body: listOf('100', []) };
    const list = await jsonOf<KubeObject>(await forward(hubRequest('GET', pods)));
    const { resourceVersion = '' } = list.metadata;
    expect(resourceVersion).not.toBe(naturalText('100'));
    answer = { body: [] };
    await watch(resourceVersion);
    expect(upstream.requests.at(-1)?.path).toContain('resourceVersion=100');
  });

  describe('where what is held has not come', () => {
    const place = naturalText('150000');
    const line = (type: string, { metadata }: KubeObject): Buffer =>
      Buffer.from(`${JSON.stringify({ type, object: { apiVersion: 'v1', kind: 'Pod', metadata } })}\n`);
    beforeEach(() => {
      hold('v1/pods', '100', [], 'a');
      const other = hold('v1/pods', '110', [], 'b');
      replica.apply(other, [], '150000');
      expect(String(replica.reader('v1/pods').version)).toBe(place);
      answer = { body: [] };
    });

    it('does not go on: others have brought the resource there', async () => {
      await expect(watch(place)).rejects.toMatchObject({
        code: 'Gone',
        message: expect.stringContaining('old'),
      });
      await expect(watch(`${place}&labelSelector=app`)).rejects.toMatchObject({ code: 'Gone' });
      expect(upstream.requests).toEqual([]);
      await forward(hubRequest('GET', `/api/v1/namespaces/b/pods?watch=1&resourceVersion=${place}`));
      await watch(naturalText('100'));
      expect(upstream.requests).toHaveLength(2);
    });

    it('goes on from what upstream itself listed, to whom it did', async () => {
      answer = { body: listOf('150000', []) };
      await jsonOf(await forward(hubRequest('GET', '/api/v1/namespaces/b/pods')));
      await expect(watch(place)).rejects.toMatchObject({ code: 'Gone' });
      const list = await jsonOf<KubeObject>(await forward(hubRequest('GET', pods)));
      expect(list.metadata.resourceVersion).toBe(place);
      await watch(place);
    });

    it.each([
      ['a bookmark', 'BOOKMARK'],
      ['an event', 'DELETED'],
    ])('goes on from %s with which a watch of upstream ended', async (_what, type) => {
      answer = { body: [line('MODIFIED', pod('one', '140000')), line(type, pod('two', '150000'))] };
      await bytesOf((await watch(naturalText('100'))) as HubResponse);
      await watch(place);
      await expect(watch(naturalText('140000'))).rejects.toMatchObject({ code: 'Gone' });
    });

    it('does not go on from what a watch began with and did not end', async () => {
      answer = { body: [line('ADDED', pod('one', '150000'))] };
      await bytesOf(await forward(hubRequest('GET', `${pods}?watch=1&sendInitialEvents=true`)));
      await expect(watch(place)).rejects.toMatchObject({ code: 'Gone' });
    });
  });

  it.each([
    ['of an earlier life', BigInt(naturalText('90')) + 7n],
    ['that nobody can have been shown', 1n],
  ])('does not go on from a version %s', async (_what, version) => {
    hold('v1/pods', '100', []);
    await expect(watch(version)).rejects.toMatchObject({ code: 'Gone' });
    expect(upstream.requests).toEqual([]);
  });
});
