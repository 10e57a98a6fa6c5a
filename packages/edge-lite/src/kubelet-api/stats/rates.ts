import type { Measured } from './types.ts';

/** A rate is over so much time at least, once there is that much, and never over more than the longest. */
const windowMs = 10_000;
const longestMs = 120_000;

interface Sample {
  readonly timeMs: number;
  readonly usageNs: number;
}

/** Compares what cgroups used with what they used some seconds before. Holds one sample of each that was there last. */
export interface CpuRates {
  /** All that is measured at one time, with its rate where there is something to compare with. */
  rate<M extends Measured>(all: readonly M[]): readonly M[];
}

function rateOf(before: Sample | undefined, now: Sample): number | undefined {
  if (before === undefined) return undefined;
  const ms = now.timeMs - before.timeMs;
  const ns = now.usageNs - before.usageNs;
  return ms <= 0 || ms > longestMs || ns < 0 ? undefined : Math.round((ns * 1000) / ms);
}

export function createCpuRates(): CpuRates {
  let samples: ReadonlyMap<string, Sample> = new Map();
  return {
    rate(all) {
      const next = new Map<string, Sample>();
      const rated = all.map((one) => {
        const { cpu, timeMs } = one.usage;
        if (cpu === undefined) return one;
        const now = { timeMs, usageNs: cpu.usageNs };
        const before = samples.get(one.cgroup);
        const nanoCores = rateOf(before, now);
        const stays = before !== undefined && nanoCores !== undefined && timeMs - before.timeMs < windowMs;
        next.set(one.cgroup, stays ? before : now);
        return { ...one, usage: { ...one.usage, cpu: { ...cpu, nanoCores } } };
      });
      samples = next;
      return rated;
    },
  };
}
