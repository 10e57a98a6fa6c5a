import { type Service, SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import type { KubeObject } from '@selvedge/kube';
import type { Pod, Volume } from '@selvedge/kube/types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TokenQuery } from '../../pods/index.ts';
import {
  type CoveragesWorld,
  createCoveragesWorld,
  forbidden,
  nodeCaller,
  own,
} from '../coverages/testing-world.ts';
import type { CoverageHold } from '../coverages/types.ts';
import { specOfObject } from '../source/index.ts';
import { needsOf } from './needs.ts';
import { createPodNeeds } from './pod-needs.ts';

const { signal } = new AbortController();
const patienceMs = 60_000;

function podWith(volumes: readonly Volume[], more: Partial<Pod> = {}): Pod {
  const metadata = { namespace: 'shop', name: 'web', uid: 'p' };
  const containers = [{ name: 'main', image: 'main' }];
  const spec = { nodeName: 'shop-7', serviceAccountName: 'till', containers, volumes };
  return { metadata, spec, ...more };
}

const config = { metadata: { namespace: 'shop', name: 'settings', uid: 'c' }, data: { a: '1' } };
const login = { metadata: { namespace: 'shop', name: 'login', uid: 's' }, data: {} };
const settingsRef = { resource: 'configmaps', namespace: 'shop', name: 'settings' } as const;
const loginRef = { resource: 'secrets', namespace: 'shop', name: 'login' } as const;
const missingRef = { resource: 'secrets', namespace: 'shop', name: 'missing' } as const;
const projected = { sources: [{ serviceAccountToken: { path: 'token', audience: 'till' } }] };
const web = podWith([
  { name: 'a', configMap: { name: 'settings' } },
  { name: 'b', secret: { secretName: 'login' } },
  { name: 'c', secret: { secretName: 'missing', optional: true } },
  { name: 'd', projected },
]);
const query: TokenQuery = {
  pod: { namespace: 'shop', name: 'web', uid: 'p' },
  serviceAccount: 'till',
  audiences: ['till'],
  expirationSeconds: 3_600,
};

describe('a pod needs', () => {
  test('what its volumes, its environment and its images name', () => {
    const spec: Pod['spec'] = {
      nodeName: 'shop-7',
      imagePullSecrets: [{ name: 'pull' }],
      containers: [{ name: 'main', image: 'main', envFrom: [{ configMapRef: { name: 'env' } }] }],
      volumes: [
        { name: 'csi', csi: { driver: 'd', nodePublishSecretRef: { name: 'publish' } } },
        { name: 'azure', azureFile: { secretName: 'azure', shareName: 's' } },
      ],
    };
    const needs = needsOf({ ...web, spec } as KubeObject, 'shop-7');
    expect(needs?.objects.map(({ resource, namespace, name }) => `${resource} ${namespace}/${name}`)).toEqual(
      ['configmaps shop/env', 'secrets shop/pull', 'secrets shop/publish', 'secrets shop/azure'],
    );
    expect(needs?.tokens).toEqual([]);
  });

  test('a token for each projection, until it is to go', () => {
    expect(needsOf(web, 'shop-7')?.tokens).toEqual([query]);
    const going = { ...web, metadata: { ...web.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(needsOf(going, 'shop-7')?.tokens).toEqual([]);
  });

  test('nothing on another node, or when it is over', () => {
    expect(needsOf(web, 'shop-8')).toBeUndefined();
    expect(needsOf({ ...web, status: { phase: 'Succeeded' } } as Pod, 'shop-7')).toBeUndefined();
  });
});

describe('what the pods of a node need', () => {
  let world: CoveragesWorld;
  let needs: Service;
  let pods: CoverageHold;
  let asked: TokenQuery[];
  let kept: boolean;
  let failure: SelvedgeError | undefined;

  beforeEach(async () => {
    [asked, kept, failure] = [[], false, undefined];
    world = await createCoveragesWorld();
    world.api.put('configmaps', config);
    world.api.put('secrets', login);
    await world.start();
    await begin();
  });
  afterEach(async () => {
    await end();
    await world[Symbol.asyncDispose]();
  });

  async function begin(maxObjects = 10): Promise<void> {
    const { replica, coverages, api: upstream, clock, log } = world;
    pods = await coverages.join({ spec: own, caller: nodeCaller }, signal);
    needs = createPodNeeds(
      { nodeName: 'shop-7', caller: nodeCaller, maxObjects, patienceMs },
      {
        replica,
        coverages,
        upstream,
        clock,
        log,
        random: seededRandom(5),
        metrics: createMetricsRegistry(),
        kept: { has: () => kept },
        tokens: {
          async request(one) {
            asked.push(one);
            if (failure !== undefined) throw failure;
            return { token: 't', expiresAtMs: 0, lifetimeSeconds: 0 };
          },
        },
      },
    );
    await needs.start(signal);
    await world.clock.advance(0);
  }

  async function end(): Promise<void> {
    await needs.stop();
    pods[Symbol.dispose]();
  }

  const heldNames = (): readonly string[] =>
    world.coverages.all
      .map(({ record }) => record)
      .filter(({ resource }) => resource !== 'v1/pods')
      .map(({ resource, namespace, fieldSelector }) => `${resource} ${namespace} ${fieldSelector}`)
      .toSorted();

  test('is held before anybody asks, in the coverages that a kubelet opens, with what is missing', async () => {
    world.api.put('pods', web);
    await world.clock.advance(1_000);
    expect(heldNames()).toEqual([
      'v1/configmaps shop metadata.name=settings',
      'v1/secrets shop metadata.name=login',
      'v1/secrets shop metadata.name=missing',
    ]);
    world.api.cut();
    await end();
    await world.restart();
    await begin();
    for (const ref of [settingsRef, loginRef, missingRef])
      expect(world.coverages.covering(specOfObject(ref))).toBeDefined();
    expect(world.object('v1/configmaps', 'settings', 'shop')).toMatchObject({ data: { a: '1' } });
    expect(world.object('v1/secrets', 'missing', 'shop')).toBeUndefined();
  });

  test('goes with the pod, once nobody has read it for a while', async () => {
    world.api.put('pods', web);
    await world.clock.advance(20 * 60_000);
    expect(heldNames()).toHaveLength(3);
    world.api.remove('pods', web);
    await world.clock.advance(20 * 60_000);
    expect(heldNames()).toEqual([]);
  });

  test('is had though the API server refuses it at first, to which the pod has not come yet', async () => {
    let refused = 0;
    world.api.refuse = (_sponsor, request) => {
      if (!request.includes('configmaps') || refused === 2) return undefined;
      refused += 1;
      return forbidden();
    };
    world.api.put('pods', web);
    await world.clock.advance(5_000);
    expect(world.object('v1/configmaps', 'settings', 'shop')).toBeDefined();
  });

  test('is held up to a cap', async () => {
    await end();
    await begin(2);
    world.api.put('pods', web);
    await world.clock.advance(1_000);
    expect(heldNames()).toHaveLength(2);
  });

  test('is a token, too, if the kubelet has not asked in time, and once', async () => {
    world.api.put('pods', web);
    await world.clock.advance(patienceMs * 2);
    expect(asked).toEqual([]);
    await world.clock.advance(patienceMs);
    expect(asked).toEqual([query]);
    kept = true;
    await world.clock.advance(patienceMs * 10);
    expect(asked).toHaveLength(1);
  });

  test('is no token that the kubelet asked for itself, nor one while the cloud is away', async () => {
    kept = true;
    world.api.put('pods', web);
    await world.clock.advance(patienceMs * 4);
    kept = false;
    world.api.cut();
    await world.clock.advance(patienceMs * 4);
    expect(asked).toEqual([]);
  });

  test('is asked for again where it was not to be had', async () => {
    failure = new SelvedgeError('no', { code: 'Forbidden' });
    world.api.put('pods', web);
    await world.clock.advance(patienceMs * 10);
    expect(asked.length).toBeGreaterThan(1);
  });
});
