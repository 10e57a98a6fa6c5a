import { type ReadText, processIds } from './cgroup-files.ts';
import { count, keyed, limit, tickNs } from './parse.ts';
import type { CgroupReader, DeviceIo, MemoryUsage } from './types.ts';

function memoryOf(usageText: string, statText: string): MemoryUsage | undefined {
  if (usageText === '') return undefined;
  const usageBytes = count(usageText);
  const stat = keyed(statText);
  const total = (name: string): number => stat.get(`total_${name}`) ?? 0;
  return {
    usageBytes,
    workingSetBytes: Math.max(0, usageBytes - total('inactive_file')),
    rssBytes: total('rss'),
    cacheBytes: total('cache'),
    mappedFileBytes: total('mapped_file'),
    swapBytes: total('swap'),
    pageFaults: total('pgfault'),
    majorPageFaults: total('pgmajfault'),
    limitBytes: limit(String(stat.get('hierarchical_memory_limit') ?? '')),
  };
}

/** `8:0 Read 4096` on each line. Pure. */
function perDevice(text: string): ReadonlyMap<string, { readonly Read: number; readonly Write: number }> {
  const devices = new Map<string, { Read: number; Write: number }>();
  for (const line of text.split('\n')) {
    const [device = '', what, value] = line.split(' ');
    if (what !== 'Read' && what !== 'Write') continue;
    const known = devices.get(device) ?? { Read: 0, Write: 0 };
    devices.set(device, { ...known, [what]: Number(value) });
  }
  return devices;
}

function ioOf(bytesText: string, requestsText: string): readonly DeviceIo[] {
  const requests = perDevice(requestsText);
  return Array.from(perDevice(bytesText), ([device, bytes]) => ({
    device,
    readBytes: bytes.Read,
    writtenBytes: bytes.Write,
    reads: requests.get(device)?.Read ?? 0,
    writes: requests.get(device)?.Write ?? 0,
  }));
}

/** Source: kernel.org, "Control Groups version 1". */
export function cgroupReaderV1(mount: string, readText: ReadText): CgroupReader {
  const read = (controller: string, path: string, file: string): string =>
    readText(`${mount}/${controller}${path}/${file}`);
  return {
    usage(path, timeMs) {
      const cpu = read('cpuacct', path, 'cpuacct.usage');
      const usageText = read('memory', path, 'memory.usage_in_bytes');
      return {
        timeMs,
        cpu: cpu === '' ? undefined : { usageNs: count(cpu), nanoCores: undefined },
        memory: memoryOf(usageText, read('memory', path, 'memory.stat')),
      };
    },
    details(path) {
      const ticks = keyed(read('cpuacct', path, 'cpuacct.stat'));
      const stat = keyed(read('cpu', path, 'cpu.stat'));
      const io = (file: string): string => read('blkio', path, `blkio.throttle.${file}_recursive`);
      return {
        userNs: (ticks.get('user') ?? 0) * tickNs,
        systemNs: (ticks.get('system') ?? 0) * tickNs,
        throttling: {
          periods: stat.get('nr_periods') ?? 0,
          throttledPeriods: stat.get('nr_throttled') ?? 0,
          throttledNs: stat.get('throttled_time') ?? 0,
        },
        shares: count(read('cpu', path, 'cpu.shares')),
        periodUs: count(read('cpu', path, 'cpu.cfs_period_us')),
        quotaUs: limit(read('cpu', path, 'cpu.cfs_quota_us')),
        io: ioOf(io('io_service_bytes'), io('io_serviced')),
        tasks: count(read('pids', path, 'pids.current')),
        maxUsageBytes: count(read('memory', path, 'memory.max_usage_in_bytes')),
        memoryFailures: count(read('memory', path, 'memory.failcnt')),
        oomKills: keyed(read('memory', path, 'memory.oom_control')).get('oom_kill') ?? 0,
      };
    },
    processes: (path) => processIds(read('memory', path, 'cgroup.procs')),
  };
}
