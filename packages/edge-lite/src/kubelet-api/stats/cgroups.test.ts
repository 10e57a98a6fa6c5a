import { describe, expect, it } from 'vitest';
import type { ReadText } from './cgroup-files.ts';
import { cgroupReaderV1 } from './cgroup-v1.ts';
import { cgroupReaderV2 } from './cgroup-v2.ts';

const files =
  (content: Readonly<Record<string, string>>): ReadText =>
  (path) =>
    content[path] ?? '';

const v1 = cgroupReaderV1(
  '/cg',
  files({
    '/cg/cpuacct/pod/cpuacct.usage': '123456789\n',
    '/cg/cpuacct/pod/cpuacct.stat': 'user 7\nsystem 3\n',
    '/cg/memory/pod/memory.usage_in_bytes': '5000\n',
    '/cg/memory/pod/memory.stat':
      'cache 1\nrss 2\nhierarchical_memory_limit 9223372036854771712\ntotal_cache 3000\ntotal_rss 1000\ntotal_mapped_file 5\ntotal_swap 6\ntotal_inactive_file 2000\ntotal_pgfault 8\ntotal_pgmajfault 9\n',
    '/cg/memory/pod/memory.max_usage_in_bytes': '6000\n',
    '/cg/memory/pod/memory.failcnt': '2\n',
    '/cg/memory/pod/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
    '/cg/memory/pod/cgroup.procs': '17\n18\n',
    '/cg/cpu/pod/cpu.stat': 'nr_periods 10\nnr_throttled 4\nthrottled_time 5000\n',
    '/cg/cpu/pod/cpu.shares': '102\n',
    '/cg/cpu/pod/cpu.cfs_period_us': '100000\n',
    '/cg/cpu/pod/cpu.cfs_quota_us': '-1\n',
    '/cg/blkio/pod/blkio.throttle.io_service_bytes_recursive':
      '8:0 Read 4096\n8:0 Write 8192\n8:0 Total 12288\nTotal 12288\n',
    '/cg/blkio/pod/blkio.throttle.io_serviced_recursive': '8:0 Read 1\n8:0 Write 2\nTotal 3\n',
    '/cg/pids/pod/pids.current': '5\n',
  }),
);

const v2 = cgroupReaderV2(
  '/cg',
  files({
    '/cg/pod/cpu.stat':
      'usage_usec 123456\nuser_usec 70\nsystem_usec 30\nnr_periods 10\nnr_throttled 4\nthrottled_usec 5\n',
    '/cg/pod/memory.current': '5000\n',
    '/cg/pod/memory.stat':
      'anon 1000\nfile 3000\nfile_mapped 5\ninactive_file 2000\npgfault 8\npgmajfault 9\n',
    '/cg/pod/memory.swap.current': '6\n',
    '/cg/pod/memory.max': '9000\n',
    '/cg/pod/memory.peak': '6000\n',
    '/cg/pod/memory.events': 'low 0\nhigh 0\nmax 2\noom 1\noom_kill 1\n',
    '/cg/pod/cpu.weight': '4\n',
    '/cg/pod/cpu.max': '20000 100000\n',
    '/cg/pod/io.stat': '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n',
    '/cg/pod/pids.current': '5\n',
    '/cg/pod/cgroup.procs': '17\n18\n',
  }),
);

const memory = {
  usageBytes: 5000,
  workingSetBytes: 3000,
  rssBytes: 1000,
  cacheBytes: 3000,
  mappedFileBytes: 5,
  swapBytes: 6,
  pageFaults: 8,
  majorPageFaults: 9,
};
const common = {
  io: [{ device: '8:0', readBytes: 4096, writtenBytes: 8192, reads: 1, writes: 2 }],
  tasks: 5,
  maxUsageBytes: 6000,
  memoryFailures: 2,
  oomKills: 1,
  periodUs: 100_000,
};

describe('a cgroup of version 1', () => {
  it('is read with all that is below it', () => {
    expect(v1.usage('/pod', 7)).toEqual({
      timeMs: 7,
      cpu: { usageNs: 123_456_789, nanoCores: undefined },
      memory: { ...memory, limitBytes: undefined },
    });
    expect(v1.details('/pod')).toEqual({
      ...common,
      userNs: 70_000_000,
      systemNs: 30_000_000,
      throttling: { periods: 10, throttledPeriods: 4, throttledNs: 5000 },
      shares: 102,
      quotaUs: undefined,
    });
    expect(v1.processes('/pod')).toEqual([17, 18]);
  });
});

describe('a cgroup of version 2', () => {
  it('is read likewise', () => {
    expect(v2.usage('/pod', 7)).toEqual({
      timeMs: 7,
      cpu: { usageNs: 123_456_000, nanoCores: undefined },
      memory: { ...memory, limitBytes: 9000 },
    });
    expect(v2.details('/pod')).toEqual({
      ...common,
      userNs: 70_000,
      systemNs: 30_000,
      throttling: { periods: 10, throttledPeriods: 4, throttledNs: 5000 },
      shares: 81,
      quotaUs: 20_000,
    });
    expect(v2.processes('/pod')).toEqual([17, 18]);
  });
});

describe.each([
  ['1', v1],
  ['2', v2],
])('of version %s', (_, reader) => {
  it('one that is gone uses nothing that is known', () => {
    expect(reader.usage('/gone', 7)).toEqual({ timeMs: 7, cpu: undefined, memory: undefined });
    expect(reader.details('/gone')).toMatchObject({ tasks: 0, io: [], quotaUs: undefined });
    expect(reader.processes('/gone')).toEqual([]);
  });
});
