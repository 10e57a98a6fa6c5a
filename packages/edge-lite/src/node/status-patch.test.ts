import type { Node } from '@selvedge/kube/types';
import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { type DesiredStatus, desiredStatus } from './build-node.ts';
import { type StatusPatch, statusPatch } from './status-patch.ts';
import { goodRuntime, merged, nodeOptions, smallHost } from './testing.ts';

const desired = desiredStatus(nodeOptions, {
  host: smallHost,
  runtime: goodRuntime,
  runtimeVersion: 'containerd://2.4.2',
  images: [{ names: ['pause'], sizeBytes: 1 }],
  shuttingDown: false,
  kubeletPort: 10_250,
  nowMs: 0,
});

const patchOf = (shown: Node, next: DesiredStatus, heartbeat = false): StatusPatch | undefined =>
  statusPatch({ shown, desired: next, nowMs: Date.UTC(2026, 0, 1), heartbeat });
const empty: Node = { metadata: { name: 'shop-7', uid: 'u' } };

test('a Node that shows what it should is left alone, but for a heartbeat', () => {
  const first = patchOf(empty, desired);
  const shown = merged(empty, first ?? { metadata: { uid: '' }, status: {} });
  expect(patchOf(shown, desired)).toBeUndefined();
  expect(Object.keys(patchOf(shown, desired, true)?.status ?? {})).toEqual(['conditions']);
  expect(first?.metadata).toEqual({ uid: 'u' });
});

test('conditions of others stay', () => {
  const foreign = { type: 'NetworkUnavailable', status: 'False' };
  const shown: Node = { ...empty, status: { conditions: [foreign] } };
  const after = merged(shown, patchOf(shown, desired) ?? { status: {} });
  expect(after.status?.conditions).toContainEqual(foreign);
});

test('resources that somebody else advertises stay and become allocatable; those that are gone do not', () => {
  const shown: Node = {
    ...empty,
    status: {
      capacity: { 'example.com/gpu': '1', 'hugepages-16Gi': '0' },
      allocatable: { 'example.com/old': '1' },
    },
  };
  const { status } = merged(shown, patchOf(shown, desired) ?? { status: {} });
  expect(status?.capacity).toEqual({ ...desired.capacity, 'example.com/gpu': '1' });
  expect(status?.allocatable).toEqual({ ...desired.allocatable, 'example.com/gpu': '1' });
});

test('addresses are replaced as a list', () => {
  expect(patchOf(empty, desired)?.status['addresses']).toEqual([
    ...(desired.addresses ?? []),
    { $patch: 'replace' },
  ]);
});

const statuses = fc.record({
  addresses: fc.array(fc.record({ type: fc.constantFrom('InternalIP', 'Hostname'), address: fc.string() })),
  capacity: fc.dictionary(fc.constantFrom('cpu', 'memory', 'pods', 'x'), fc.string()),
  allocatable: fc.dictionary(fc.constantFrom('cpu', 'memory', 'pods', 'x'), fc.string()),
  images: fc.array(fc.record({ names: fc.array(fc.string()), sizeBytes: fc.nat() })),
  conditions: fc.uniqueArray(
    fc.record({
      type: fc.constantFrom('Ready', 'MemoryPressure'),
      status: fc.constantFrom('True', 'False'),
      reason: fc.string(),
      message: fc.string(),
    }),
    { selector: ({ type }) => type },
  ),
});

property.prop([statuses, statuses])(
  'from any status the patch leads to the wanted one, where it is empty',
  (a, b) => {
    const start = patchOf(empty, a);
    const shown = start === undefined ? empty : merged(empty, start);
    const patch = patchOf(shown, b);
    const after = patch === undefined ? shown : merged(shown, patch);
    expect(patchOf(after, b)).toBeUndefined();
  },
);
