import type { Pod } from '@selvedge/kube/types';
import type { ContainerRecord, SandboxRecord } from '../../runtime/index.ts';

/** What a cgroup, or the machine, uses at one time. */
export interface Usage {
  readonly timeMs: number;
  readonly cpu: CpuUsage | undefined;
  readonly memory: MemoryUsage | undefined;
}

export interface CpuUsage {
  /** Since the cgroup was made, of all cores together. */
  readonly usageNs: number;
  /** Cores × 10⁹ over the last seconds; undefined until there is a sample to compare with. */
  readonly nanoCores: number | undefined;
}

export interface MemoryUsage {
  readonly usageBytes: number;
  /** Without what the kernel can drop at once: `usageBytes` less inactive file pages. */
  readonly workingSetBytes: number;
  readonly rssBytes: number;
  readonly cacheBytes: number;
  readonly mappedFileBytes: number;
  readonly swapBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
  /** Undefined without one. */
  readonly limitBytes: number | undefined;
}

/** What dashboards show of a cgroup besides its usage. */
export interface CgroupDetails {
  readonly userNs: number;
  readonly systemNs: number;
  readonly throttling: {
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNs: number;
  };
  readonly shares: number;
  readonly periodUs: number;
  /** Undefined: no limit. */
  readonly quotaUs: number | undefined;
  readonly io: readonly DeviceIo[];
  readonly tasks: number;
  readonly maxUsageBytes: number;
  readonly memoryFailures: number;
  readonly oomKills: number;
}

export interface DeviceIo {
  /** `8:0`. */
  readonly device: string;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
}

/** Reads the cgroups of one version. Paths begin at the root of the hierarchies: `/kubepods/besteffort/pod…`. */
export interface CgroupReader {
  usage(path: string, timeMs: number): Usage;
  details(path: string): CgroupDetails;
  /** Of the cgroup itself. */
  processes(path: string): readonly number[];
}

/** Since the interface was made. */
export interface TrafficCounters {
  readonly bytes: number;
  readonly packets: number;
  readonly errors: number;
  readonly drops: number;
}

export interface InterfaceCounters {
  readonly name: string;
  readonly received: TrafficCounters;
  readonly sent: TrafficCounters;
}

export interface Measured {
  readonly cgroup: string;
  readonly usage: Usage;
}

export interface ContainerUsage extends Measured {
  readonly record: ContainerRecord;
}

export interface PodUsage extends Measured {
  readonly pod: Pod;
  readonly sandbox: SandboxRecord;
  readonly containers: readonly ContainerUsage[];
}

/** All that runs, and what it uses: cheap. */
export interface NodeUsage {
  readonly node: Usage;
  readonly allPods: Measured;
  readonly agent: Usage;
  readonly pods: readonly PodUsage[];
}

/** A file system, or the part of it that belongs to somebody. */
export interface Disk {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly inodes: number;
  readonly freeInodes: number;
  /** Undefined where nobody counts them. */
  readonly usedBytes: number | undefined;
  readonly usedInodes: number | undefined;
}

export interface FileUse {
  readonly usedBytes: number;
  readonly usedInodes: number;
}

export interface PodStorage {
  /** By container id. */
  readonly logs: ReadonlyMap<string, FileUse>;
  /** By the volume's name. */
  readonly volumes: ReadonlyMap<string, Disk>;
}

/** What takes longer to find out, or fewer ask for. Pods by their uid. */
export interface NodeDetails {
  readonly usage: NodeUsage;
  readonly network: readonly InterfaceCounters[];
  readonly defaultInterface: string | undefined;
  readonly networks: ReadonlyMap<string, readonly InterfaceCounters[]>;
  readonly disk: Disk;
  readonly images: Disk | undefined;
  /** What containers have written beside their images, by container id. */
  readonly writable: ReadonlyMap<string, FileUse>;
  readonly storage: ReadonlyMap<string, PodStorage>;
  readonly tasks: { readonly running: number; readonly max: number };
}
