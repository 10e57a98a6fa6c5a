import type { Container, Pod } from '@selvedge/kube/types';

import { isSidecar } from '../plan/index.ts';
import { wholeValue } from './amount.ts';
import { qosClass } from './qos.ts';

const guaranteed = -997;
const bestEffort = 1000;
const systemCritical = 2_000_000_000;

const memoryOf = ({ resources }: Container): bigint => wholeValue(resources?.requests?.['memory']);

function least(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => (b < a ? b : a));
}

/** A sidecar outlives the containers that it serves. */
function protectedMemory(pod: Pod, container: Container): bigint {
  const own = memoryOf(container);
  const regular = pod.spec?.containers ?? [];
  const init = pod.spec?.initContainers ?? [];
  const sidecar = isSidecar(container) && init.some(({ name }) => name === container.name);
  if (!sidecar || regular.length === 0) return own;
  const minimum = least(regular.map(memoryOf));
  return minimum > own ? minimum : own;
}

/**
 * Who is killed first when memory runs out: the more a container asked for, the later.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#node-out-of-memory-behavior
 */
export function oomScoreAdjustment(pod: Pod, container: Container, memoryCapacityBytes: number): number {
  const { priorityClassName, priority = 0 } = pod.spec ?? {};
  if (priorityClassName === 'system-node-critical' && priority >= systemCritical) return guaranteed;
  const quality = qosClass(pod);
  if (quality === 'Guaranteed') return guaranteed;
  if (quality === 'BestEffort') return bestEffort;
  const share = (1000n * protectedMemory(pod, container)) / BigInt(memoryCapacityBytes);
  return Math.min(bestEffort - 1, Math.max(1000 + guaranteed, 1000 - Number(share)));
}
