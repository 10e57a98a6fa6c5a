import type { Pod } from '@selvedge/kube/types';

import { isSidecar } from '../plan/index.ts';
import { milliValue, wholeValue } from './amount.ts';
import type { ResourceList } from './node-facts.ts';

/** By resource name: thousandths of a core for `cpu`, whole units for all others. */
export type Amounts = ReadonlyMap<string, bigint>;

export interface PodAmounts {
  /** What the whole pod takes at most at one time. */
  readonly total: Amounts;
  /** What is taken while each container runs, with the sidecars before it. */
  readonly each: readonly Amounts[];
}

type Kind = 'requests' | 'limits';

export function amountsOf(list: ResourceList = {}): Amounts {
  const entries = Object.entries(list);
  return new Map(entries.map(([name, text]) => [name, name === 'cpu' ? milliValue(text) : wholeValue(text)]));
}

function combine(a: Amounts, b: Amounts, how: (x: bigint, y: bigint) => bigint): Amounts {
  const names = new Set([...a.keys(), ...b.keys()]);
  return new Map(Array.from(names, (name) => [name, how(a.get(name) ?? 0n, b.get(name) ?? 0n)]));
}

const sum = (a: Amounts, b: Amounts): Amounts => combine(a, b, (x, y) => x + y);
const most = (a: Amounts, b: Amounts): Amounts => combine(a, b, (x, y) => (x > y ? x : y));

/**
 * What a pod asks for, or is limited to, as a whole: its containers and sidecars together, or its hungriest init container
 * if that is more. Source: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
export function podAmounts(pod: Pod, kind: Kind): PodAmounts {
  const each: Amounts[] = (pod.spec?.containers ?? []).map(({ resources }) => amountsOf(resources?.[kind]));
  let running = each.reduce(sum, new Map());
  let sidecars: Amounts = new Map();
  let initial: Amounts = new Map();
  for (const container of pod.spec?.initContainers ?? []) {
    const own = amountsOf(container.resources?.[kind]);
    const use = sum(own, sidecars);
    if (isSidecar(container)) {
      running = sum(running, own);
      sidecars = use;
    }
    each.push(use);
    initial = most(initial, use);
  }
  return { total: most(running, initial), each };
}
