import type { Pod } from '@selvedge/kube/types';

import { cpuQuota, cpuShares } from './cpu.ts';
import { hugePageAmounts } from './huge-pages.ts';
import { podAmounts, type Amounts, type PodAmounts } from './pod-resources.ts';
import { qosClass } from './qos.ts';

/** What a pod's cgroup is set to; what is absent is not limited. */
export interface PodLimits {
  /** Of cgroup v1, 2 to 262144. */
  readonly cpuShares: bigint;
  /** Microseconds per period of `cpuPeriod`; 0 is no limit. */
  readonly cpuQuota?: bigint;
  readonly memoryBytes?: bigint;
  /** Bytes by page size as the kernel spells it. */
  readonly hugePages: Amounts;
}

const limitedEverywhere = ({ each }: PodAmounts, name: string): boolean =>
  each.every((amounts) => (amounts.get(name) ?? 0n) > 0n);

/**
 * The limits of a pod as a whole: of a resource that every container limits, the sum.
 * Source: `ResourceConfigForPod` in `pkg/kubelet/cm/helpers_linux.go` of Kubernetes 1.36.
 */
export function podLimits(pod: Pod): PodLimits {
  const requests = podAmounts(pod, 'requests').total;
  const limits = podAmounts(pod, 'limits');
  const hugePages = hugePageAmounts(requests);
  const quality = qosClass(pod);
  if (quality === 'BestEffort') return { cpuShares: cpuShares(0n), hugePages };
  const limited = (name: string): boolean => quality === 'Guaranteed' || limitedEverywhere(limits, name);
  return {
    cpuShares: cpuShares(requests.get('cpu') ?? 0n),
    hugePages,
    ...(limited('cpu') ? { cpuQuota: cpuQuota(limits.total.get('cpu') ?? 0n) } : {}),
    ...(limited('memory') ? { memoryBytes: limits.total.get('memory') ?? 0n } : {}),
  };
}
