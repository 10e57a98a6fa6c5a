import { SelvedgeError } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { type KubeClient, type ObjectRef, createIndexedStore } from '@selvedge/kube';
import type { Node, Pod } from '@selvedge/kube/types';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { EdgeNodeObject } from '../../edge-nodes/index.ts';
import { Failover, allowedOfUnit, ownersOf } from './failover.ts';

const { signal } = new AbortController();
const agreed = { 'selvedge.io/failover': 'true' };
const outOfService = { key: 'node.kubernetes.io/out-of-service', value: 'selvedge', effect: 'NoExecute' };

const pod = (name: string, options: { readonly set?: string; readonly claim?: string } = {}): Pod => ({
  metadata: {
    name,
    namespace: 'shop',
    ...(options.set === undefined
      ? {}
      : {
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'StatefulSet', name: options.set, uid: 's', controller: true },
          ],
        }),
  },
  spec: {
    containers: [],
    nodeName: 'a',
    volumes:
      options.claim === undefined
        ? []
        : [{ name: 'data', persistentVolumeClaim: { claimName: options.claim } }],
  },
});

function world(
  pods: readonly Pod[],
  annotated: Readonly<Record<string, Readonly<Record<string, string>>>>,
  gone: readonly string[] = [],
) {
  const clock = createManualClock();
  const members = ['a', 'b', 'c', 'd'];
  const nodes = createIndexedStore<Node>();
  nodes.replace(
    members.map((name) => ({
      metadata: { name, resourceVersion: '1' },
      spec: { taints: gone.includes(name) ? [outOfService] : [] },
    })),
    '1',
  );
  const bound = createIndexedStore<Pod>({ indexers: { node: ({ spec }) => [spec?.nodeName ?? ''] } });
  bound.replace(pods, '1');
  const edgeNodes = createIndexedStore<EdgeNodeObject>();
  edgeNodes.replace([{ metadata: { name: 'a', annotations: annotated['a'] } }], '1');
  const client = {
    async get(_resource: unknown, { name }: ObjectRef) {
      const annotations = annotated[name];
      if (annotations === undefined) throw new SelvedgeError('gone', { code: 'NotFound' });
      return { metadata: { name, annotations } };
    },
  } as unknown as Pick<KubeClient, 'get'>;
  const failover = new Failover(
    { perMinute: 60, burst: 2, unitPercent: 50 },
    { client, edgeNodes, nodes, pods: bound, membersOf: () => members, clock },
  );
  const ask = async (node = 'a'): Promise<string> => {
    const permission = await failover.permission(node, signal);
    return permission.kind === 'granted' ? 'granted' : `${permission.kind}: ${permission.why}`;
  };
  return { clock, ask, failover };
}

describe('a dead node', () => {
  test.each<[string, Pod, Readonly<Record<string, Readonly<Record<string, string>>>>, RegExp]>([
    ['fails over with pods that may run twice', pod('web'), {}, /^granted/],
    [
      'does not with a StatefulSet that was not asked',
      pod('db-0', { set: 'db' }),
      { db: {} },
      /^withheld: StatefulSet shop\/db has no/,
    ],
    [
      'does with one that agrees',
      pod('db-0', { set: 'db', claim: 'data' }),
      { db: agreed, data: {} },
      /^granted/,
    ],
    [
      'does not with a claim that was not asked',
      pod('web', { claim: 'data' }),
      { data: {} },
      /^withheld: PersistentVolumeClaim shop\/data has no/,
    ],
    ['does with one that agrees too', pod('web', { claim: 'data' }), { data: agreed }, /^granted/],
    ['does where its EdgeNode agrees for all', pod('db-0', { set: 'db' }), { db: {}, a: agreed }, /^granted/],
    ['does with a pod whose owner is gone', pod('db-0', { set: 'db' }), {}, /^granted/],
  ])('%s', async (_what, running, annotated, expected) => {
    expect(await world([pod('cache'), running], annotated).ask()).toMatch(expected);
  });

  test('waits while too many of its unit have failed over', async () => {
    expect(await world([], {}, ['b']).ask()).toBe('granted');
    expect(await world([], {}, ['b', 'c']).ask()).toMatch(/^limited: 2 of 4 members/);
  });

  test('waits for another of its unit that may and is not seen to have', async () => {
    const { ask, failover } = world([], {}, ['d']);
    const together = await Promise.all([ask('a'), ask('b')]);
    expect(together).toEqual(['granted', expect.stringMatching(/^limited: 2 of 4 members/)]);
    failover.forget('a');
    expect(await ask('b')).toBe('granted');
  });

  test('waits for its turn', async () => {
    const { clock, ask } = world([], {});
    expect([await ask(), await ask(), await ask()]).toEqual([
      'granted',
      'granted',
      'limited: 60 nodes a minute may fail over',
    ]);
    await clock.advance(1_000);
    expect(await ask()).toBe('granted');
  });
});

test('a StatefulSet answers for the claims of its pods', () => {
  expect(ownersOf(pod('db-0', { set: 'db', claim: 'data' })).map(({ name }) => name)).toEqual(['db']);
});

property.prop([fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 0, max: 100 })])(
  'of a unit one may always fail over, and never more than the share',
  (members, percent) => {
    const allowed = allowedOfUnit(members, percent);
    expect(allowed).toBeGreaterThanOrEqual(1);
    expect(allowed === 1 || allowed <= (members * percent) / 100).toBe(true);
  },
);
