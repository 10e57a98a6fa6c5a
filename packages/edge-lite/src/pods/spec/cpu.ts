/** Source: `pkg/kubelet/cm/helpers_linux.go` of Kubernetes 1.36. */
const minShares = 2n;
const maxShares = 262_144n;
const minQuota = 1000n;

/** One scheduling period, in microseconds. */
export const cpuPeriod = 100_000n;

const clamp = (value: bigint, low: bigint, high: bigint): bigint =>
  value < low ? low : value > high ? high : value;

/** Within what the kernel takes. */
export function boundedShares(shares: bigint): bigint {
  return clamp(shares, minShares, maxShares);
}

/** The weight of cgroup v1 for a request in thousandths of a core. */
export function cpuShares(milliCpu: bigint): bigint {
  return boundedShares((milliCpu * 1024n) / 1000n);
}

/** Microseconds of CPU time per period for a limit in thousandths of a core; 0 is no limit. */
export function cpuQuota(milliCpu: bigint): bigint {
  if (milliCpu === 0n) return 0n;
  const quota = (milliCpu * cpuPeriod) / 1000n;
  return quota < minQuota ? minQuota : quota;
}

/** The weight of cgroup v2, 1 to 10000, for one of v1; as the kubelet sets it for pods and QoS classes. */
export function cpuWeight(shares: bigint): bigint {
  return 1n + ((boundedShares(shares) - minShares) * 9999n) / (maxShares - minShares);
}

/** The fewest shares that make this weight. */
export function sharesOfWeight(weight: bigint): bigint {
  return ((weight - 1n) * (maxShares - minShares) + 9998n) / 9999n + minShares;
}
