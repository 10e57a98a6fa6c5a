import type { Endpoint, EndpointConditions } from '@selvedge/kube/types';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { LocalPod } from '../facts/index.ts';
import { conditionsOf, readyNodes, withLastReady, withLocalTruth, withoutDoubtful } from './slice-truth.ts';
import { type Around, around, endpointOf, localPod, sliceOf } from './testing.ts';

const told = (endpoint: Endpoint, rest: Around): Endpoint | undefined =>
  withLocalTruth(sliceOf([endpoint]), around(rest)).endpoints?.[0];

const ready: EndpointConditions = { ready: true, serving: true, terminating: false };
const notReady: EndpointConditions = { ready: false, serving: false, terminating: false };

describe('an endpoint of a pod of this node', () => {
  test.each<readonly [string, Partial<LocalPod>, Partial<Endpoint>]>([
    ['that is ready', {}, { conditions: ready }],
    ['that is not ready', { ready: false }, { conditions: notReady }],
    ['that has another address', { addresses: ['10.1.0.9'] }, { addresses: ['10.1.0.9'], conditions: ready }],
    ['that has no address', { addresses: [] }, { conditions: notReady }],
    ['that has one of the other family only', { addresses: ['fd00::1'] }, { conditions: notReady }],
    ['that ends', { terminating: true }, { conditions: { ready: false, serving: true, terminating: true } }],
    ['that has ended', { alive: false }, { conditions: notReady }],
    ['that is another of the name', { uid: 'other' }, { conditions: notReady }],
  ])('%s says so', (_, pod, wanted) => {
    for (const before of [
      endpointOf('web'),
      endpointOf('web', { conditions: notReady, addresses: ['10.1.0.7'] }),
    ])
      expect(told(before, { pods: [localPod('web', pod)] })).toEqual({
        ...before,
        addresses:
          pod.addresses?.length === 0 || pod.addresses?.[0] === 'fd00::1' || pod.alive === false || pod.uid
            ? before.addresses
            : ['10.1.0.1'],
        ...wanted,
      });
  });

  test('that is gone is not ready', () => {
    expect(told(endpointOf('web'), {})).toEqual(endpointOf('web', { conditions: notReady }));
  });

  test('is found without a node’s name, and without a uid', () => {
    const pods = [localPod('web', { ready: false })];
    const targetRef = { kind: 'Pod', namespace: 'shop', name: 'web' };
    const endpoint = endpointOf('web', { nodeName: undefined, targetRef });
    expect(told(endpoint, { pods })).toEqual({ ...endpoint, conditions: notReady });
  });

  test('that is not ready is published where the Service wants it', () => {
    const pods = [localPod('web', { ready: false, terminating: true })];
    const wanted = { ready: true, serving: false, terminating: true };
    expect(told(endpointOf('web'), { pods, publishesNotReady: () => true })?.conditions).toEqual(wanted);
    const other = endpointOf('web-1', { nodeName: 'there', conditions: { ready: true, serving: false } });
    const slice = sliceOf([endpointOf('web'), other]);
    const seems = withLocalTruth(slice, around({ pods, publishesNotReady: () => undefined }));
    expect(seems.endpoints?.[0]?.conditions).toEqual(wanted);
  });

  test('of the other family has that address', () => {
    const slice = sliceOf([endpointOf('web', { addresses: ['fd00::9'] })], { addressType: 'IPv6' });
    const next = withLocalTruth(slice, around({ pods: [localPod('web')] }));
    expect(next.endpoints?.[0]?.addresses).toEqual(['fd00::1']);
  });
});

describe('a slice stays', () => {
  const pods = [localPod('web')];
  test.each([
    ['that says the same', sliceOf([endpointOf('web')]), { pods }],
    ['that says the same in fewer words', sliceOf([endpointOf('web', { conditions: {} })]), { pods }],
    [
      'of other nodes',
      sliceOf([endpointOf('web', { nodeName: 'there', addresses: ['10.2.0.1'] })]),
      { pods },
    ],
    ['without pods', sliceOf([endpointOf('web', { targetRef: undefined, addresses: ['10.2.0.1'] })]), {}],
    ['of names', sliceOf([endpointOf('web')], { addressType: 'FQDN' }), {}],
    ['of no Service', sliceOf([endpointOf('web')], { metadata: { name: 'a', namespace: 'shop' } }), {}],
    ['without endpoints', sliceOf([], { endpoints: undefined }), {}],
    ['while the pods are not known', sliceOf([endpointOf('web')]), { pod: () => 'unknown' as const }],
    ['with an unknown pod of no node', sliceOf([endpointOf('web', { nodeName: undefined })]), {}],
  ])('%s', (_, slice, rest) => {
    expect(withLocalTruth(slice, around(rest))).toBe(slice);
  });
});

test('none at all, as the API server writes it, are none', () => {
  const slice = { ...sliceOf([]), ...(JSON.parse('{"endpoints":null}') as object) };
  expect(withLocalTruth(slice, around({ publishesNotReady: () => undefined }))).toBe(slice);
  expect(withoutDoubtful(slice, around())).toBe(slice);
  expect(readyNodes(slice)).toEqual([]);
});

test('what may be out of reach is left out, what somebody wrote by hand is not', () => {
  const [here, there] = [endpointOf('web'), endpointOf('web-1', { nodeName: 'there' })];
  const byHand = { addresses: ['10.9.0.1'], nodeName: 'there' };
  const slice = sliceOf([here, there, byHand]);
  expect(withoutDoubtful(slice, around()).endpoints).toEqual([here, byHand]);
  expect(withoutDoubtful(slice, around({ isReachable: () => true }))).toBe(slice);
});

describe('what was ready before a cut', () => {
  const unready = { ready: false, serving: false, terminating: false };
  const there = endpointOf('web', { nodeName: 'there' });
  const cut = { ...there, conditions: unready };

  test('is so', () => {
    const slice = sliceOf([cut]);
    expect(withLastReady(slice, sliceOf([there]), 'here')).toEqual(sliceOf([there]));
    expect(withLastReady(slice, slice, 'here')).toBe(slice);
  });

  test.each<readonly [string, Partial<Endpoint>]>([
    ['if its pod ends', { conditions: { ...unready, terminating: true } }],
    ['if it is another pod', { targetRef: { ...there.targetRef, uid: 'other' } }],
    ['if its pod has another address', { addresses: ['10.2.0.9'] }],
    ['if it is of this node', { nodeName: 'here' }],
    ['if somebody wrote it by hand', { targetRef: undefined }],
  ])('is not %s', (_, change) => {
    const slice = sliceOf([{ ...cut, ...change }]);
    expect(withLastReady(slice, sliceOf([there]), 'here')).toBe(slice);
  });
});

const pods = fc.record({
  addresses: fc.subarray(['10.1.0.1', '10.1.0.2', 'fd00::1']),
  ready: fc.boolean(),
  terminating: fc.boolean(),
  alive: fc.boolean(),
  uid: fc.constantFrom('uid-web', 'other'),
});
const endpoints = fc.record(
  {
    addresses: fc.constantFrom(['10.1.0.1'], ['fd00::1']),
    nodeName: fc.constantFrom('here', 'there'),
    conditions: fc.record(
      { ready: fc.boolean(), serving: fc.boolean(), terminating: fc.boolean() },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['addresses'] },
);

property.prop([
  fc.array(endpoints),
  pods,
  fc.constantFrom('IPv4', 'IPv6'),
  fc.option(fc.boolean(), { nil: undefined }),
])('told twice is told once, and no endpoint of another node differs', (all, pod, addressType, publishes) => {
  const surroundings = around({ pods: [localPod('web', pod)], publishesNotReady: () => publishes });
  const slice = sliceOf(
    all.map((endpoint) => endpointOf('web', endpoint)),
    { addressType },
  );
  const once = withLocalTruth(slice, surroundings);
  if (publishes !== undefined) expect(withLocalTruth(once, surroundings)).toBe(once);
  once.endpoints?.forEach((endpoint, index) => {
    const before = slice.endpoints?.[index];
    if (endpoint.nodeName === 'there') expect(endpoint).toBe(before);
    if (pod.terminating && publishes === false && endpoint.nodeName === 'here')
      expect(conditionsOf(endpoint).ready).toBe(false);
  });
});
