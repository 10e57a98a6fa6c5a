import type { Pod } from '@selvedge/kube/types';
import { expect, test } from 'vitest';
import { whyNotReady } from './why-not-ready.ts';

const deployment = { metadata: {}, status: {} };
const pod = (status: Pod['status']): Pod => ({ metadata: { name: 'cloud-manager-1' }, status: status ?? {} });
const container = (state: object, more: object = {}): Pod =>
  pod({
    phase: 'Pending',
    containerStatuses: [
      { name: 'c', image: 'i', imageID: '', ready: false, restartCount: 3, state, ...more },
    ],
  });
const unscheduled = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message: "0/3 nodes are available: 3 node(s) didn't match",
} as const;
const ready = pod({ phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
const ended = { terminated: { exitCode: 2, reason: 'Error', message: 'config: tunnel.listen' } };

test.each<[string, readonly Pod[], string | undefined]>([
  [
    'nothing takes it',
    [ready, pod({ phase: 'Pending', conditions: [unscheduled] })],
    "pod cloud-manager-1: Unschedulable: 0/3 nodes are available: 3 node(s) didn't match",
  ],
  [
    'its image is nowhere',
    [container({ waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x"' } })],
    'pod cloud-manager-1: ImagePullBackOff: Back-off pulling image "x"',
  ],
  [
    'it ends again and again',
    [container({ waiting: { reason: 'CrashLoopBackOff' } }, { lastState: ended })],
    'pod cloud-manager-1: CrashLoopBackOff: ended with 2 (Error): config: tunnel.listen',
  ],
  [
    'it runs and does not answer',
    [container({ running: {} })],
    'pod cloud-manager-1: it runs and is not ready',
  ],
  ['nobody took it up', [pod({ phase: 'Pending' })], 'pod cloud-manager-1: Pending'],
  ['all are ready', [ready], undefined],
])('where %s, the cluster says so', (_what, pods, why) => {
  expect(whyNotReady(deployment, pods)).toBe(why);
});

test('pods that may not be made are told before any pod', () => {
  const status = {
    conditions: [
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'violates PodSecurity' },
    ],
  };
  expect(whyNotReady({ metadata: {}, status }, [container({})])).toBe('FailedCreate: violates PodSecurity');
  expect(whyNotReady(undefined, [])).toBe('there is no such Deployment');
});
