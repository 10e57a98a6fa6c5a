import { LinuxContainerResources, message } from '@selvedge/containerd-grpc-types';
import type { Container, Pod } from '@selvedge/kube/types';

import { cpuPeriod, cpuQuota, cpuShares } from './cpu.ts';
import { hugePageLimits } from './huge-pages.ts';
import type { NodeFacts } from './node-facts.ts';
import { oomScoreAdjustment } from './oom-score.ts';
import { amountsOf, podAmounts, type Amounts } from './pod-resources.ts';

type Facts = Pick<NodeFacts, 'cgroup' | 'hugePageSizes' | 'memoryCapacityBytes' | 'swapAccounting'>;

function shared(requests: Amounts, limits: Amounts): Partial<LinuxContainerResources> {
  const limit = limits.get('cpu') ?? 0n;
  return {
    cpuShares: cpuShares(requests.get('cpu') ?? limit),
    cpuQuota: cpuQuota(limit),
    cpuPeriod,
    memoryLimitInBytes: limits.get('memory') ?? 0n,
  };
}

/** No swap; and on v2 one process out of memory takes the whole container with it. */
function byVersion({ cgroup, swapAccounting }: Facts, memoryLimit: bigint): Partial<LinuxContainerResources> {
  if (cgroup.version === 1) return swapAccounting ? { memorySwapLimitInBytes: memoryLimit } : {};
  const noSwap = swapAccounting ? { 'memory.swap.max': '0' } : {};
  return { unified: { 'memory.oom.group': '1', ...noSwap } };
}

/** A container's limits. Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/ */
export function containerResources(pod: Pod, container: Container, node: Facts): LinuxContainerResources {
  const limits = amountsOf(container.resources?.limits);
  const base = shared(amountsOf(container.resources?.requests), limits);
  return message(LinuxContainerResources, {
    ...base,
    oomScoreAdj: BigInt(oomScoreAdjustment(pod, container, node.memoryCapacityBytes)),
    hugepageLimits: hugePageLimits(limits, node.hugePageSizes),
    ...byVersion(node, base.memoryLimitInBytes ?? 0n),
  });
}

/** The sum over the pod, for runtimes that size the sandbox by it. */
export function sandboxResources(pod: Pod): LinuxContainerResources {
  const limits = podAmounts(pod, 'limits').total;
  return message(LinuxContainerResources, shared(podAmounts(pod, 'requests').total, limits));
}
