import { createMetricsRegistry } from '@selvedge/kit';
import { createManualClock, recordingLogger, seededRandom } from '@selvedge/kit/testing';
import { type KubeClient, createIndexedStore, createKubeMetrics } from '@selvedge/kube';
import type { Node, Pod, Toleration } from '@selvedge/kube/types';
import { expect, test } from 'vitest';
import type { Judge } from '../judge.ts';
import { createPodKeeper } from './keeper.ts';

const toleration = (operator: string, tolerationSeconds: number): Toleration => ({
  key: 'node.kubernetes.io/unreachable',
  operator,
  effect: 'NoExecute',
  tolerationSeconds,
});

test('pods are left alone on a node that never was an edge node, and get their own back on one that was', () => {
  const pods = createIndexedStore<Pod>({ indexers: { node: ({ spec }) => [spec?.nodeName ?? ''] } });
  // As ours are, and a person's may be.
  const tolerations = [toleration('Equal', 86_400), toleration('Exists', 300)];
  const metadata = { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1' };
  pods.replace([{ metadata, spec: { containers: [], nodeName: 'a', tolerations } }], '1');
  let isEdge = false;
  const metrics = createMetricsRegistry();
  const keeper = createPodKeeper({
    client: {} as unknown as Pick<KubeClient, 'patch'>,
    judge: { fate: () => undefined } as unknown as Judge,
    isEdge: () => isEdge,
    nodes: createIndexedStore<Node>(),
    pods,
    clock: createManualClock(),
    random: seededRandom(1),
    log: recordingLogger(),
    kubeMetrics: createKubeMetrics(metrics),
    changes: metrics.counter({ name: 'changes_total', help: 'Changes.' }),
  });
  expect(keeper.isSettled('a')).toBe(true);
  isEdge = true;
  expect(keeper.isSettled('a')).toBe(true);
  isEdge = false;
  expect(keeper.isSettled('a')).toBe(false);
});
