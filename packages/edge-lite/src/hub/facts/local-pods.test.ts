import type { Pod, PodCondition } from '@selvedge/kube/types';
import { expect, test } from 'vitest';
import { localPodOf } from './local-pods.ts';

const condition = (type: string, status: boolean): PodCondition => ({
  type,
  status: status ? 'True' : 'False',
});

const podOf = (conditions: readonly PodCondition[], gates: readonly string[] = []): Pod => ({
  metadata: { namespace: 'shop', name: 'web-0', uid: 'u' },
  spec: {
    containers: [],
    nodeName: 'shop-7',
    readinessGates: gates.map((conditionType) => ({ conditionType })),
  },
  status: { conditions },
});

test.each([
  ['the kubelet says so', [condition('Ready', true)], [], true],
  [
    'the kubelet says that its containers are, and the cloud lost sight of the node',
    [condition('Ready', false), condition('ContainersReady', true)],
    [],
    true,
  ],
  [
    'its containers are, and its gates are open',
    [condition('ContainersReady', true), condition('g', true)],
    ['g'],
    true,
  ],
  [
    'never while a gate is closed',
    [condition('Ready', false), condition('ContainersReady', true)],
    ['g'],
    false,
  ],
  [
    'never while its containers are not',
    [condition('Ready', false), condition('ContainersReady', false)],
    [],
    false,
  ],
  ['never before anything is said', [], [], false],
])('a pod is ready when %s', (_, conditions, gates, ready) => {
  expect(localPodOf(podOf(conditions, gates), 'shop-7')).toMatchObject({ name: 'web-0', ready });
});

test('a pod of another node is none of ours', () => {
  expect(localPodOf(podOf([]), 'shop-8')).toBeUndefined();
});

test('the containers of a pod that run are known, with those that run beside the others', () => {
  const { metadata, spec } = podOf([]);
  const state = { running: { startedAt: '1970-01-01T00:00:09Z' } };
  const status = {
    initContainerStatuses: [
      { name: 'mesh', containerID: 'containerd://a', state },
      { name: 'setup', containerID: 'containerd://b', state: { terminated: { exitCode: 0 } } },
    ],
    containerStatuses: [{ name: 'web', containerID: 'containerd://c', state }],
  } as unknown as NonNullable<Pod['status']>;
  const sources = [{ configMap: { name: 'kube-root-ca.crt' } }];
  const volumes = [{ name: 'kube-api-access', projected: { sources } }];
  const withCa: Pod = { metadata, status, spec: { containers: [], ...spec, volumes } };
  expect(localPodOf(withCa, 'shop-7')).toMatchObject({
    containers: ['containerd://a', 'containerd://c'],
    readsRootCa: true,
  });
  expect(localPodOf(podOf([]), 'shop-7')).toMatchObject({ containers: [], readsRootCa: false });
});
