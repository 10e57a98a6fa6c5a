/** A resolver configuration, as resolv.conf has it. */
export interface ResolverConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface CgroupFacts {
  readonly driver: 'cgroupfs' | 'systemd';
  /** The cgroup below which all pods are kept, in the style of cgroupfs; `/` is the root. */
  readonly root: string;
  readonly version: 1 | 2;
}

/** Resources of the node by name; quantities as the API has them. */
export type ResourceList = Readonly<Record<string, string>>;

/** What the node adds to a pod's spec. Read once when the process starts; nothing here changes while it runs. */
export interface NodeFacts {
  readonly nodeName: string;
  /** The folder of all pods' logs: `/var/log/pods`. */
  readonly podLogs: string;
  /** Addresses of the cluster's DNS service; none makes `ClusterFirst` pods use the node's resolver. */
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
  /** The node's own resolver. */
  readonly resolver: ResolverConfig;
  readonly cgroup: CgroupFacts;
  readonly memoryCapacityBytes: number;
  /** Huge page sizes that the kernel knows, as it spells them: `2MB`, `1GB`. */
  readonly hugePageSizes: readonly string[];
  /** Whether the kernel accounts for swap (v1: `memory.memsw.limit_in_bytes`). */
  readonly swapAccounting: boolean;
  /** The folder below which `Localhost` seccomp profiles lie. */
  readonly seccompProfiles: string;
  /** `/sys/devices/system/cpu/cpu<n>/thermal_throttle` of this machine, hidden from containers. */
  readonly thermalThrottlePaths: readonly string[];
}
