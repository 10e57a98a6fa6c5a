import { expect, test } from 'vitest';
import { workloadFactsOf } from './workload-facts.ts';

const metadata = { name: 'till', generation: 2 };
const template = { spec: { containers: [] } };

test.each([
  [
    'a Deployment',
    {
      kind: 'Deployment',
      metadata,
      spec: { replicas: 3, template },
      status: { observedGeneration: 2, replicas: 4, updatedReplicas: 2, availableReplicas: 3 },
    },
    { isObserved: true, wanted: 3, pods: 4, updated: 2, available: 3 },
  ],
  [
    'one that its controller has not seen as it is',
    { kind: 'StatefulSet', metadata, spec: { template }, status: { observedGeneration: 1, replicas: 1 } },
    { isObserved: false, wanted: 1, pods: 1, updated: 0, available: 0 },
  ],
  [
    'one that is new',
    { metadata, spec: { replicas: 0, template } },
    { isObserved: false, wanted: 0, pods: 0, updated: 0, available: 0 },
  ],
  [
    'a DaemonSet, which lists may show without its kind',
    {
      metadata,
      spec: { template },
      status: {
        observedGeneration: 3,
        desiredNumberScheduled: 2,
        currentNumberScheduled: 2,
        updatedNumberScheduled: 1,
        numberAvailable: 1,
      },
    },
    { isObserved: true, wanted: 2, pods: 2, updated: 1, available: 1 },
  ],
])('tells the pods of %s', (_, workload, facts) => {
  expect(workloadFactsOf(workload)).toEqual(facts);
});

test('tells nothing of what has no pods', () => {
  expect(workloadFactsOf({ metadata, spec: { ports: [] } })).toBeUndefined();
  expect(workloadFactsOf({ metadata, data: {} })).toBeUndefined();
});
