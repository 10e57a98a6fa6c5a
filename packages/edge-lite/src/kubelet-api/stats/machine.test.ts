import { describe, expect, it } from 'vitest';
import { createMachineReader } from './machine.ts';

const files: Readonly<Record<string, string>> = {
  '/proc/stat': 'cpu  100 20 30 4000 500 6 7 8 9 0\ncpu0 1 2 3\nbtime 1767225600\n',
  '/proc/meminfo':
    'MemTotal:       1000 kB\nMemFree:         400 kB\nCached:          200 kB\nMapped:           50 kB\nAnonPages:       150 kB\nInactive(file):  100 kB\nSwapTotal:        64 kB\nSwapFree:         60 kB\n',
  '/proc/vmstat': 'pgfault 8\npgmajfault 9\n',
  '/proc/net/dev':
    'Inter-|   Receive  |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0:1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0\n',
  '/proc/loadavg': '0.1 0.2 0.3 2/345 678\n',
  '/proc/sys/kernel/pid_max': '4194304\n',
};
const machine = createMachineReader('/proc', (path) => files[path] ?? '');

describe('the machine', () => {
  it('has worked for what was neither idle nor waiting', () => {
    expect(machine.usage(7)).toMatchObject({ timeMs: 7, cpu: { usageNs: 171 * 10_000_000 } });
    expect(machine.bootTimeMs()).toBe(Date.UTC(2026, 0, 1));
  });

  it('uses the memory that is not free, and works with what is not an inactive page of a file', () => {
    expect(machine.usage(7).memory).toEqual({
      usageBytes: 600 * 1024,
      workingSetBytes: 500 * 1024,
      rssBytes: 150 * 1024,
      cacheBytes: 200 * 1024,
      mappedFileBytes: 50 * 1024,
      swapBytes: 4 * 1024,
      pageFaults: 8,
      majorPageFaults: 9,
      limitBytes: 1000 * 1024,
    });
    expect(machine.swapBytes()).toBe(64 * 1024);
  });

  it('counts the traffic of its interfaces but for the loopback', () => {
    const received = { bytes: 1000, packets: 10, errors: 1, drops: 2 };
    const sent = { bytes: 2000, packets: 20, errors: 3, drops: 4 };
    expect(machine.network()).toEqual([{ name: 'eth0', received, sent }]);
    expect(machine.networkOf(17)).toEqual([]);
    expect(machine.tasks()).toEqual({ running: 345, max: 4_194_304 });
  });
});
