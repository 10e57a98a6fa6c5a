import { readFile, readdir, statfs } from 'node:fs/promises';
import { type NetworkInterfaceInfo, arch, networkInterfaces, release } from 'node:os';
import { join } from 'node:path';
import { cpuCount, defaultInterface, memory, osName, taskCount } from './parse.ts';

/** What the machine says of itself; bytes and counts. */
export interface HostFacts {
  /** As Go names it: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly memoryAvailableBytes: number;
  readonly swapBytes: number;
  /** Page size in bytes to bytes reserved for pages of that size. */
  readonly hugePages: readonly { readonly pageBytes: number; readonly totalBytes: number }[];
  /** The file system that holds pods and state. */
  readonly disk: {
    readonly totalBytes: number;
    readonly availableBytes: number;
    readonly inodes: number;
    readonly freeInodes: number;
  };
  readonly tasks: number;
  readonly maxTasks: number;
  /** The address of the interface with the default route; undefined without one. */
  readonly address: string | undefined;
}

/** Reads the host, a few small files and no process; under a millisecond. */
export type ReadHost = () => Promise<HostFacts>;

const goArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

const text = async (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** The first of the files that says something. */
async function firstOf(paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const value = (await text(path)).replaceAll('\0', '').trim();
    if (value !== '') return value;
  }
  return '';
}

async function hugePages(): Promise<HostFacts['hugePages']> {
  const folder = '/sys/kernel/mm/hugepages';
  const names = await readdir(folder).catch(() => []);
  const sizes = names.flatMap((name) => {
    const [, kilobytes] = /^hugepages-(\d+)kB$/.exec(name) ?? [];
    return kilobytes === undefined ? [] : [{ name, pageBytes: Number(kilobytes) * 1024 }];
  });
  return Promise.all(
    sizes.map(async ({ name, pageBytes }) => ({
      pageBytes,
      totalBytes: pageBytes * Number(await text(join(folder, name, 'nr_hugepages'))),
    })),
  );
}

async function defaultAddress(): Promise<string | undefined> {
  const name = defaultInterface(await text('/proc/net/route'));
  const addresses: readonly NetworkInterfaceInfo[] =
    name === undefined ? [] : (networkInterfaces()[name] ?? []);
  const usable = addresses.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  return (usable.find(({ family }) => family === 'IPv4') ?? usable[0])?.address;
}

async function disk(folder: string): Promise<HostFacts['disk']> {
  const { bsize, blocks, bavail, files, ffree } = await statfs(folder);
  return {
    totalBytes: blocks * bsize,
    availableBytes: bavail * bsize,
    inodes: files,
    freeInodes: ffree,
  };
}

/** `stateFolder` is on the file system that counts as the node's ephemeral storage. It must exist. */
export function createHostReader(stateFolder: string): ReadHost {
  return async () => {
    const { totalBytes, availableBytes, swapBytes } = memory(await text('/proc/meminfo'));
    const machineId = await firstOf(['/etc/machine-id', '/var/lib/dbus/machine-id']);
    const uuidFiles = [
      '/sys/class/dmi/id/product_uuid',
      '/proc/device-tree/system-id',
      '/proc/device-tree/vm,uuid',
    ];
    return {
      architecture: goArchitectures[arch()] ?? arch(),
      kernelVersion: release(),
      osImage: osName(await firstOf(['/etc/os-release', '/usr/lib/os-release'])) ?? 'Linux',
      machineId,
      systemUuid: (await firstOf(uuidFiles)) || machineId,
      bootId: await firstOf(['/proc/sys/kernel/random/boot_id']),
      cpus: cpuCount(await text('/sys/devices/system/cpu/online')),
      memoryBytes: totalBytes,
      memoryAvailableBytes: availableBytes,
      swapBytes,
      hugePages: await hugePages(),
      disk: await disk(stateFolder),
      tasks: taskCount(await text('/proc/loadavg')),
      maxTasks: Number(await text('/proc/sys/kernel/pid_max')),
      address: await defaultAddress(),
    };
  };
}
