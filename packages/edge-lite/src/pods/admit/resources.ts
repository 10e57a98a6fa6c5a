import type { Node, Pod } from '@selvedge/kube/types';

import { milliValue, podAmounts, wholeValue } from '../spec/index.ts';
import type { Verdict } from '../status/index.ts';

/** What pods may ask for in sum; the rest is not the node's to share out. */
const shared = ['cpu', 'memory', 'ephemeral-storage'];

interface Demand {
  readonly name: string;
  readonly requested: bigint;
  readonly used: bigint;
  readonly capacity: bigint;
}

function shortage({ name, requested, used, capacity }: Demand): Verdict | undefined {
  if (requested === 0n || requested <= capacity - used) return undefined;
  const numbers = `requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return { reason: `OutOf${name}`, message: `Node didn't have enough resource: ${name}, ${numbers}` };
}

function demandOf(pod: Pod, name: string): bigint {
  return podAmounts(pod, 'requests').total.get(name) ?? 0n;
}

/** Whether the node has enough left of everything; the first thing that is short. */
export function resourceVerdict(
  pod: Pod,
  context: { readonly node: Node | undefined; readonly others: readonly Pod[]; readonly maxPods: number },
): Verdict | undefined {
  const { node, others, maxPods } = context;
  const pods = { name: 'pods', requested: 1n, used: BigInt(others.length), capacity: BigInt(maxPods) };
  const allocatable = node?.status?.allocatable ?? {};
  const demands = shared
    .filter((name) => allocatable[name] !== undefined)
    .map((name): Demand => {
      const capacity = name === 'cpu' ? milliValue(allocatable[name]) : wholeValue(allocatable[name]);
      const used = others.reduce((sum, other) => sum + demandOf(other, name), 0n);
      return { name, requested: demandOf(pod, name), used, capacity };
    });
  return [pods, ...demands].map(shortage).find((verdict) => verdict !== undefined);
}
