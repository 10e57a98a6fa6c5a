import type { EndpointAddress, EndpointSubset } from '@selvedge/kube/types';
import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { endpointsTruth } from './endpoints-truth.ts';
import { around, localPod } from './testing.ts';

const ports = [{ port: 80 }];
const address = (pod: string, rest: Partial<EndpointAddress> = {}): EndpointAddress => ({
  ip: '10.1.0.1',
  nodeName: 'here',
  targetRef: { kind: 'Pod', namespace: 'shop', name: pod, uid: `uid-${pod}` },
  ...rest,
});
const there = address('web-1', { nodeName: 'there', ip: '10.2.0.1' });
const endpointsOf = (...subsets: readonly EndpointSubset[]) => ({
  metadata: { namespace: 'shop', name: 'web' },
  subsets,
});
const pods = [localPod('web')];
const web = address('web');

test.each([
  ['not ready any more', [localPod('web', { ready: false })], { notReadyAddresses: [web] }],
  [
    'at another address',
    [localPod('web', { addresses: ['10.1.0.9'] })],
    { addresses: [{ ...web, ip: '10.1.0.9' }] },
  ],
  ['gone', [], { notReadyAddresses: [web] }],
  ['ending', [localPod('web', { terminating: true })], { notReadyAddresses: [web] }],
])('a pod that is %s is said to be', (_, known, subset) => {
  const before = endpointsOf({ addresses: [web, there], ports });
  const { addresses, ...rest } = { addresses: [], ...subset };
  expect(endpointsTruth(before, around({ pods: known }), false)).toEqual(
    endpointsOf({ addresses: [...addresses, there], ...rest, ports }),
  );
});

test('a pod that is ready again is said to be', () => {
  const before = endpointsOf({ notReadyAddresses: [web], ports });
  expect(endpointsTruth(before, around({ pods }), false)).toEqual(endpointsOf({ addresses: [web], ports }));
});

test('what may be out of reach is left out if a ready one can be reached', () => {
  const before = endpointsOf({ addresses: [web, there], ports }, { addresses: [there], ports });
  const byHand = { ip: '10.9.0.1' };
  expect(endpointsTruth(before, around({ pods }), true)).toEqual(endpointsOf({ addresses: [web], ports }));
  expect(endpointsTruth(before, around({ pods }), false)).toBe(before);
  const none = endpointsOf({ addresses: [there, byHand], ports });
  expect(endpointsTruth(none, around({ pods }), true)).toBe(none);
});

const subsets = fc.array(
  fc.record({
    addresses: fc.subarray([web, there], { minLength: 1 }),
    notReadyAddresses: fc.subarray([address('other'), address('other', { nodeName: 'there' })], {
      minLength: 1,
    }),
    ports: fc.constant(ports),
  }),
);
property.prop([subsets, fc.boolean(), fc.boolean()])('told twice is told once', (all, ready, hides) => {
  const surroundings = around({ pods: [localPod('web', { ready })] });
  const once = endpointsTruth(endpointsOf(...all), surroundings, hides);
  expect(endpointsTruth(once, surroundings, hides)).toBe(once);
});
