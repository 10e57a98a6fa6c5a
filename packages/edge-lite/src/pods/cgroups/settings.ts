import { cpuPeriod, cpuWeight, type PodLimits } from '../spec/index.ts';

/** One value for one file of a cgroup. */
export interface Setting {
  /** The hierarchy on v1. */
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

const isLimit = (value: bigint | undefined): value is bigint => value !== undefined && value > 0n;

function cpu(file: string, value: bigint): Setting {
  return { controller: 'cpu', file, value: String(value) };
}

/** Huge pages that nobody asked for are forbidden. */
function hugePages(
  { hugePages: wanted }: PodLimits,
  sizes: readonly string[],
  suffix: string,
): readonly Setting[] {
  return sizes.map((size) => ({
    controller: 'hugetlb',
    file: `hugetlb.${size}.${suffix}`,
    value: String(wanted.get(size) ?? 0n),
  }));
}

/** A pod's limits in the files of cgroup v1. */
export function settingsV1(limits: PodLimits, pageSizes: readonly string[]): readonly Setting[] {
  const { cpuQuota, memoryBytes } = limits;
  const quota = isLimit(cpuQuota)
    ? [cpu('cpu.cfs_period_us', cpuPeriod), cpu('cpu.cfs_quota_us', cpuQuota)]
    : [];
  const memory = isLimit(memoryBytes)
    ? [{ controller: 'memory', file: 'memory.limit_in_bytes', value: String(memoryBytes) }]
    : [];
  return [
    cpu('cpu.shares', limits.cpuShares),
    ...quota,
    ...memory,
    ...hugePages(limits, pageSizes, 'limit_in_bytes'),
  ];
}

/** A pod's limits in the files of cgroup v2. */
export function settingsV2(limits: PodLimits, pageSizes: readonly string[]): readonly Setting[] {
  const { cpuQuota, memoryBytes } = limits;
  const quota = isLimit(cpuQuota)
    ? [{ controller: 'cpu', file: 'cpu.max', value: `${cpuQuota} ${cpuPeriod}` }]
    : [];
  const memory = isLimit(memoryBytes)
    ? [{ controller: 'memory', file: 'memory.max', value: String(memoryBytes) }]
    : [];
  return [
    { controller: 'cpu', file: 'cpu.weight', value: String(cpuWeight(limits.cpuShares)) },
    ...quota,
    ...memory,
    ...hugePages(limits, pageSizes, 'max'),
  ];
}
