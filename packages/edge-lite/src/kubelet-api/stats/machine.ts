import { statfs } from 'node:fs/promises';
import { defaultInterface, taskCount } from '../../node/index.ts';
import type { ReadText } from './cgroup-files.ts';
import { bootTimeMs, busyNs, count, interfaceCounters, keyed } from './parse.ts';
import type { Disk, InterfaceCounters, MemoryUsage, NodeDetails, Usage } from './types.ts';

/** Which machine it is, and since which boot. */
export interface MachineIdentity {
  readonly bootId: string;
  readonly machineId: string;
  readonly systemUuid: string;
}

/** What the kernel says of the whole machine. Source: proc(5). */
export interface MachineReader {
  usage(timeMs: number): Usage;
  identity(): MachineIdentity;
  bootTimeMs(): number;
  swapBytes(): number;
  network(): readonly InterfaceCounters[];
  defaultInterface(): string | undefined;
  /** Of the network that the process is in; empty if there is no such process. */
  networkOf(pid: number): readonly InterfaceCounters[];
  tasks(): NodeDetails['tasks'];
}

const kib = 1024;

function memoryOf(meminfo: string, vmstat: string): MemoryUsage {
  const lines = keyed(meminfo.replaceAll(' kB', ''));
  const faults = keyed(vmstat);
  const bytes = (name: string): number => (lines.get(name) ?? 0) * kib;
  const usageBytes = bytes('MemTotal') - bytes('MemFree');
  return {
    usageBytes,
    workingSetBytes: Math.max(0, usageBytes - bytes('Inactive(file)')),
    rssBytes: bytes('AnonPages'),
    cacheBytes: bytes('Cached'),
    mappedFileBytes: bytes('Mapped'),
    swapBytes: bytes('SwapTotal') - bytes('SwapFree'),
    pageFaults: faults.get('pgfault') ?? 0,
    majorPageFaults: faults.get('pgmajfault') ?? 0,
    limitBytes: bytes('MemTotal'),
  };
}

export function createMachineReader(proc: string, read: ReadText): MachineReader {
  const text = (file: string): string => read(`${proc}/${file}`);
  return {
    usage: (timeMs) => ({
      timeMs,
      cpu: { usageNs: busyNs(text('stat')), nanoCores: undefined },
      memory: memoryOf(text('meminfo'), text('vmstat')),
    }),
    identity: () => ({
      bootId: text('sys/kernel/random/boot_id').trim(),
      machineId: read('/etc/machine-id').trim(),
      systemUuid: read('/sys/class/dmi/id/product_uuid').trim(),
    }),
    swapBytes: () => (keyed(text('meminfo').replaceAll(' kB', '')).get('SwapTotal') ?? 0) * kib,
    bootTimeMs: () => bootTimeMs(text('stat')),
    network: () => interfaceCounters(text('net/dev')),
    defaultInterface: () => defaultInterface(text('net/route')),
    networkOf: (pid) => interfaceCounters(text(`${pid}/net/dev`)),
    tasks: () => ({ running: taskCount(text('loadavg')), max: count(text('sys/kernel/pid_max')) }),
  };
}

/** The file system of a folder. */
export async function readDisk(folder: string): Promise<Disk> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(folder);
  return {
    capacityBytes: blocks * bsize,
    availableBytes: bavail * bsize,
    inodes: files,
    freeInodes: ffree,
    usedBytes: (blocks - bfree) * bsize,
    usedInodes: files - ffree,
  };
}
