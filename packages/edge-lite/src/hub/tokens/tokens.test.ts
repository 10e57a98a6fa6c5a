import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { KubeObject } from '@selvedge/kube';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../store/index.ts';
import { type TemporaryStore, createTemporaryStore } from '../../store/testing.ts';
import { hashOfToken } from '../access/index.ts';
import { decodeBody } from '../bodies/index.ts';
import { jsonResponse } from '../forward/index.ts';
import { hubRequest, jsonOf, nodeCaller } from '../forward/testing.ts';
import { createTestReplica } from '../replica/testing.ts';
import type { Replica } from '../replica/types.ts';
import type { Caller, HubRequest } from '../request.ts';
import { type ResourceRequest, parseRequestInfo } from '../request-info/index.ts';
import { type PodTokens, createPodTokens } from './pod-tokens.ts';
import { createReviews } from './reviews.ts';
import type { AnswerMemory } from './types.ts';

const clock = createManualClock();
let store: TemporaryStore;
beforeEach(async () => {
  store = await createTemporaryStore();
});
afterEach(() => store[Symbol.asyncDispose]());

const about = ({ method, path, query }: HubRequest): ResourceRequest =>
  parseRequestInfo(method, path, query) as ResourceRequest;

function hear(memory: AnswerMemory, request: HubRequest, answer: object, status = 201): void {
  memory.heard(request, about(request), jsonResponse(status, answer));
}

async function recalled(memory: AnswerMemory, request: HubRequest): Promise<unknown> {
  const response = memory.recall(request, about(request));
  return response === undefined ? undefined : jsonOf(response);
}

const other: Caller = { kind: 'token', token: 't', pod: undefined, user: { username: 'other', groups: [] } };

describe('tokens of pods', () => {
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'p-1' };
  const ask = (spec: object = {}, caller = nodeCaller): HubRequest =>
    hubRequest('POST', '/api/v1/namespaces/a/serviceaccounts/default/token', {
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { boundObjectRef, ...spec },
      },
      caller,
    });
  const answer = (token: string): object => ({
    kind: 'TokenRequest',
    status: { token, expirationTimestamp: '2020-01-01T00:00:00Z' },
  });
  const pod = (uid: string, resourceVersion: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'a', uid, resourceVersion },
  });

  interface World {
    readonly tokens: PodTokens;
    readonly replica: Replica;
    /** Of the coverage of all pods. */
    readonly id: number;
    readonly apply: (type: 'put' | 'delete', object: KubeObject) => void;
  }

  async function world(maxTokens = 10, { runtime }: Pick<Store, 'runtime'> = store.store): Promise<World> {
    const replica = createTestReplica(store.store);
    const spec = { resource: 'v1/pods', namespace: '', labelSelector: '', fieldSelector: '' };
    const { id } = replica.addCoverage(spec);
    const metrics = createMetricsRegistry();
    const tokens = createPodTokens({ maxTokens }, { runtime, replica, decodeBody, clock, metrics });
    await tokens.start(new AbortController().signal);
    const apply: World['apply'] = (type, object) =>
      replica.apply(id, [{ type, object }], object.metadata.resourceVersion ?? '');
    apply('put', pod('p-1', '5'));
    return { tokens, replica, id, apply };
  }

  it('are given again, the last one of each audience, with their real expiry', async () => {
    const { tokens } = await world();
    hear(tokens, ask(), answer('first'));
    hear(tokens, ask(), answer('second'));
    hear(tokens, ask({ audiences: ['x', 'y'] }), answer('third'));
    expect(await recalled(tokens, ask({ expirationSeconds: 600 }))).toEqual(answer('second'));
    expect(await recalled(tokens, ask({ audiences: ['y', 'x'] }))).toEqual(answer('third'));
    expect(await recalled(tokens, ask({ audiences: ['z'] }))).toBeUndefined();
    expect(
      await recalled(tokens, ask({ boundObjectRef: { ...boundObjectRef, uid: 'p-2' } })),
    ).toBeUndefined();
  });

  it('are given to the kubelet only, and kept only where they are bound to a pod', async () => {
    const { tokens } = await world();
    hear(tokens, ask(), answer('first'));
    hear(tokens, ask({ audiences: ['a'] }, other), answer('second'));
    hear(tokens, ask({ audiences: ['b'], boundObjectRef: undefined }), answer('third'));
    hear(tokens, ask({ audiences: ['c'] }), { kind: 'Status' }, 403);
    expect(await recalled(tokens, ask({}, other))).toBeUndefined();
    for (const audiences of [['a'], ['b'], ['c']]) {
      expect(await recalled(tokens, ask({ audiences }))).toBeUndefined();
    }
  });

  it('survive a restart, sealed', async () => {
    const { tokens } = await world();
    hear(tokens, ask(), answer('secret-token'));
    await tokens.stop();
    await store.reopen();
    const { tokens: again } = await world();
    expect(await recalled(again, ask())).toEqual(answer('secret-token'));
    expect(JSON.stringify(store.store.runtime.list({ name: 'hub-token', sealed: true }))).toContain(
      'secret-token',
    );
  });

  it.each([
    ['its pod is gone', 'delete', 'p-1', undefined],
    ['its pod is another one now', 'put', 'p-2', undefined],
    ['not when its pod changes', 'put', 'p-1', answer('first')],
  ] as const)('die: %s', async (_title, type, uid, expected) => {
    const { tokens, apply } = await world();
    hear(tokens, ask(), answer('first'));
    apply(type, pod(uid, '6'));
    expect(await recalled(tokens, ask())).toEqual(expected);
  });

  const crowd = (resourceVersion: string): KubeObject[] =>
    Array.from({ length: 40 }, (_, i) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `crowd-${i}`,
        namespace: 'a',
        uid: `u-${i}`,
        resourceVersion,
        annotations: { text: 'x'.repeat(8_000) },
      },
    }));
  const deleteCrowd = ({ replica, id }: World): void => {
    const changes = crowd('10').map((object) => ({ type: 'delete', object }) as const);
    replica.apply(id, changes, '10');
  };
  const listWithoutCrowd = ({ replica, id }: World): void => {
    const relist = replica.relist(id);
    relist.add([pod('p-1', '5')]);
    relist.commit('10');
  };

  it.each([
    ['deleted', deleteCrowd],
    ['absent from a new list', listWithoutCrowd],
  ])('die with many large pods at once that are %s', async (_title, remove) => {
    const started = await world(100);
    const { tokens, replica, id } = started;
    const changes = crowd('6').map((object) => ({ type: 'put', object }) as const);
    replica.apply(id, changes, '6');
    hear(tokens, ask(), answer('stays'));
    for (const { metadata } of crowd('6')) {
      const { name, uid } = metadata;
      hear(tokens, ask({ boundObjectRef: { ...boundObjectRef, name, uid } }), answer(`of ${uid}`));
    }
    remove(started);
    const left = store.store.runtime.list({ name: 'hub-token', sealed: true });
    expect(left.map(({ document }) => document)).toMatchObject([{ answer: answer('stays') }]);
    expect(crowd('6').some(({ metadata }) => tokens.knows(hashOfToken(`of ${metadata.uid}`)))).toBe(false);
    expect(await recalled(tokens, ask())).toEqual(answer('stays'));
  });

  it('are given again although the disk took nothing', async () => {
    const { runtime } = store.store;
    const put: typeof runtime.put = (kind, entry, options) => {
      if (options.durable) throw new SelvedgeError('full', { code: 'ResourceExhausted' });
      runtime.put(kind, entry, options);
    };
    const { tokens } = await world(10, { runtime: { ...runtime, put } });
    hear(tokens, ask(), answer('first'));
    expect(await recalled(tokens, ask())).toEqual(answer('first'));
  });

  it('are bounded: the oldest goes', async () => {
    const { tokens } = await world(2);
    for (const audience of ['a', 'b', 'c']) hear(tokens, ask({ audiences: [audience] }), answer(audience));
    expect(await recalled(tokens, ask({ audiences: ['a'] }))).toBeUndefined();
    expect(await recalled(tokens, ask({ audiences: ['b'] }))).toEqual(answer('b'));
    expect(store.store.runtime.list({ name: 'hub-token', sealed: true })).toHaveLength(2);
  });
});

describe('reviews', () => {
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const ask = (spec: object, caller = nodeCaller): HubRequest =>
    hubRequest('POST', path, { body: { kind: 'SubjectAccessReview', metadata: {}, spec }, caller });
  const spec = { user: 'jane', resourceAttributes: { verb: 'get', resource: 'nodes' } };
  const same = { resourceAttributes: { resource: 'nodes', verb: 'get' }, user: 'jane' };
  const create = (maxAgeMs = 1_000): AnswerMemory =>
    createReviews({ maxAgeMs, maxReviews: 2 }, { runtime: store.store.runtime, decodeBody, clock });

  it('are answered as they were, to whoever asked', async () => {
    const reviews = create();
    hear(reviews, ask(spec), { kind: 'SubjectAccessReview', spec, status: { allowed: true } });
    expect(await recalled(reviews, ask(same))).toEqual({
      kind: 'SubjectAccessReview',
      metadata: {},
      spec,
      status: { allowed: true },
    });
    expect(await recalled(reviews, ask(spec, other))).toBeUndefined();
    expect(await recalled(reviews, ask({ ...spec, user: 'joe' }))).toBeUndefined();
  });

  it('count for a while, from when they were heard last', async () => {
    const reviews = create();
    const answer = { status: { allowed: false } };
    hear(reviews, ask(spec), answer);
    await clock.advance(900);
    hear(reviews, ask(spec), answer);
    await clock.advance(900);
    expect(await recalled(reviews, ask(spec))).toMatchObject(answer);
    await clock.advance(101);
    expect(await recalled(reviews, ask(spec))).toBeUndefined();
  });

  it('survive a restart, are bounded and keep nothing of what was asked', async () => {
    const reviews = create();
    for (const user of ['a', 'b', 'c']) hear(reviews, ask({ user, token: 'secret' }), { status: { user } });
    await store.reopen();
    const again = create();
    expect(await recalled(again, ask({ user: 'a', token: 'secret' }))).toBeUndefined();
    expect(await recalled(again, ask({ user: 'b', token: 'secret' }))).toMatchObject({
      status: { user: 'b' },
    });
    expect(JSON.stringify(store.store.runtime.list({ name: 'hub-review' }))).not.toContain('secret');
  });
});
