/** Source: `pkg/kubelet/cm/helpers_linux.go` of Kubernetes 1.36. */
const minShares = 2n;
const maxShares = 262_144n;
const minQuota = 1000n;

/** One scheduling period, in microseconds. */
export const cpuPeriod = 100_000n;

const clamp = (value: bigint, low: bigint, high: bigint): bigint =>
  value < low ? low : value > high ? high : value;

/** The weight of cgroup v1 for a request in thousandths of a core. */
export function cpuShares(milliCpu: bigint): bigint {
  return clamp((milliCpu * 1024n) / 1000n, minShares, maxShares);
}

/** Microseconds of CPU time per period for a limit in thousandths of a core; 0 is no limit. */
export function cpuQuota(milliCpu: bigint): bigint {
  if (milliCpu === 0n) return 0n;
  const quota = (milliCpu * cpuPeriod) / 1000n;
  return quota < minQuota ? minQuota : quota;
}

/**
 * The weight of cgroup v2 for one of v1: 2 → 1, 1024 → 100, 262144 → 10000, in between a quadratic curve in the exponent.
 * Source: opencontainers/cgroups `ConvertCPUSharesToCgroupV2Value`.
 */
export function cpuWeight(shares: bigint): bigint {
  if (shares === 0n) return 0n;
  if (shares <= minShares) return 1n;
  if (shares >= maxShares) return 10_000n;
  const exponent = Math.log2(Number(shares));
  return BigInt(Math.ceil(10 ** ((exponent * exponent + 125 * exponent) / 612 - 7 / 34)));
}
