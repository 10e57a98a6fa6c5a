import type { Pod } from '@selvedge/kube/types';

import { milliValue } from './amount.ts';
import { allContainers } from './identity.ts';
import type { ResourceList } from './node-facts.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const computeResources = ['cpu', 'memory'] as const;

function addUp(lists: readonly ResourceList[]): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const list of lists) {
    for (const name of computeResources) {
      const amount = milliValue(list[name]);
      if (amount > 0n) sums.set(name, (sums.get(name) ?? 0n) + amount);
    }
  }
  return sums;
}

/** Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/; a class in the pod's status is final. */
export function qosClass(pod: Pod): QosClass {
  const known = pod.status?.qosClass;
  if (known === 'Guaranteed' || known === 'Burstable' || known === 'BestEffort') return known;
  const resources = allContainers(pod).map((container) => container.resources ?? {});
  const limitLists = resources.map(({ limits = {} }) => limits);
  const requests = addUp(resources.map(({ requests: own = {} }) => own));
  const limits = addUp(limitLists);
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  const allLimited = limitLists.every((list) =>
    computeResources.every((name) => milliValue(list[name]) > 0n),
  );
  const equal =
    requests.size === limits.size && [...requests].every(([name, sum]) => limits.get(name) === sum);
  return allLimited && equal ? 'Guaranteed' : 'Burstable';
}
