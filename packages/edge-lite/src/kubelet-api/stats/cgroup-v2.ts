import { type ReadText, processIds } from './cgroup-files.ts';
import { count, keyed, limit } from './parse.ts';
import type { CgroupReader, DeviceIo, MemoryUsage } from './types.ts';

const usNs = 1000;

/** `8:0 rbytes=1 wbytes=2 rios=3 wios=4` on each line. Pure. */
function ioOf(text: string): readonly DeviceIo[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [device = '', ...pairs] = line.split(' ');
      const values = keyed(pairs.map((pair) => pair.replace('=', ' ')).join('\n'));
      const value = (name: string): number => values.get(name) ?? 0;
      return {
        device,
        readBytes: value('rbytes'),
        writtenBytes: value('wbytes'),
        reads: value('rios'),
        writes: value('wios'),
      };
    });
}

/** Weights 1–10,000 stand for 2–262,144 shares. Source: KEP-2254. */
const sharesOf = (weight: number): number =>
  weight === 0 ? 0 : Math.round(2 + ((weight - 1) * 262_142) / 9999);

/** Source: kernel.org, "Control Group v2". */
export function cgroupReaderV2(mount: string, readText: ReadText): CgroupReader {
  const read = (path: string, file: string): string => readText(`${mount}${path}/${file}`);
  const memoryOf = (path: string): MemoryUsage | undefined => {
    const current = read(path, 'memory.current');
    if (current === '') return undefined;
    const stat = keyed(read(path, 'memory.stat'));
    const value = (name: string): number => stat.get(name) ?? 0;
    const usageBytes = count(current);
    return {
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - value('inactive_file')),
      rssBytes: value('anon'),
      cacheBytes: value('file'),
      mappedFileBytes: value('file_mapped'),
      swapBytes: count(read(path, 'memory.swap.current')),
      pageFaults: value('pgfault'),
      majorPageFaults: value('pgmajfault'),
      limitBytes: limit(read(path, 'memory.max')),
    };
  };
  return {
    usage(path, timeMs) {
      const usageUs = keyed(read(path, 'cpu.stat')).get('usage_usec');
      const cpu = usageUs === undefined ? undefined : { usageNs: usageUs * usNs, nanoCores: undefined };
      return { timeMs, cpu, memory: memoryOf(path) };
    },
    details(path) {
      const stat = keyed(read(path, 'cpu.stat'));
      const value = (name: string): number => stat.get(name) ?? 0;
      const [quota = '', period = ''] = read(path, 'cpu.max').split(' ');
      const events = keyed(read(path, 'memory.events'));
      return {
        userNs: value('user_usec') * usNs,
        systemNs: value('system_usec') * usNs,
        throttling: {
          periods: value('nr_periods'),
          throttledPeriods: value('nr_throttled'),
          throttledNs: value('throttled_usec') * usNs,
        },
        shares: sharesOf(count(read(path, 'cpu.weight'))),
        periodUs: count(period),
        quotaUs: limit(quota),
        io: ioOf(read(path, 'io.stat')),
        tasks: count(read(path, 'pids.current')),
        maxUsageBytes: count(read(path, 'memory.peak')),
        memoryFailures: events.get('max') ?? 0,
        oomKills: events.get('oom_kill') ?? 0,
      };
    },
    processes: (path) => processIds(read(path, 'cgroup.procs')),
  };
}
