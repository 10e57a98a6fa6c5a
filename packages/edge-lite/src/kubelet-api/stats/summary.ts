import type { Disk, FileUse, InterfaceCounters, NodeDetails, NodeUsage, PodUsage, Usage } from './types.ts';

export interface SummaryOptions {
  readonly nodeName: string;
  readonly bootTimeMs: number;
  /** When this process began. */
  readonly startTimeMs: number;
}

/** RFC 3339 in seconds, as the API's times are. */
const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

const cpuStats = ({ cpu, timeMs }: Usage): object | undefined =>
  cpu && { time: time(timeMs), usageNanoCores: cpu.nanoCores, usageCoreNanoSeconds: cpu.usageNs };

function memoryStats({ memory, timeMs }: Usage): object | undefined {
  if (memory === undefined) return undefined;
  const { limitBytes, usageBytes, workingSetBytes, rssBytes, pageFaults, majorPageFaults } = memory;
  const availableBytes = limitBytes === undefined ? undefined : Math.max(0, limitBytes - workingSetBytes);
  const at = time(timeMs);
  return { time: at, availableBytes, usageBytes, workingSetBytes, rssBytes, pageFaults, majorPageFaults };
}

const swapStats = ({ memory, timeMs }: Usage): object | undefined =>
  memory && { time: time(timeMs), swapUsageBytes: memory.swapBytes };

const usageStats = (usage: Usage): object => ({
  cpu: cpuStats(usage),
  memory: memoryStats(usage),
  swap: swapStats(usage),
});

const interfaceStats = ({ name, received, sent }: InterfaceCounters): object => ({
  name,
  rxBytes: received.bytes,
  rxErrors: received.errors,
  txBytes: sent.bytes,
  txErrors: sent.errors,
});

function networkStats(
  interfaces: readonly InterfaceCounters[],
  main: string | undefined,
  timeMs: number,
): object | undefined {
  if (interfaces.length === 0) return undefined;
  const found = interfaces.find(({ name }) => name === main);
  const own = found === undefined ? { name: '' } : interfaceStats(found);
  return { time: time(timeMs), ...own, interfaces: interfaces.map(interfaceStats) };
}

/** As far as it was counted. */
type Use = { readonly [K in keyof FileUse]?: number | undefined };

/** What `use` takes of the disk. */
const fsStats = (disk: Disk, timeMs: number, use: Use = disk): object => ({
  time: time(timeMs),
  availableBytes: disk.availableBytes,
  capacityBytes: disk.capacityBytes,
  usedBytes: use.usedBytes,
  inodesFree: disk.freeInodes,
  inodes: disk.inodes,
  inodesUsed: use.usedInodes,
});

/** The sum of what its containers have written and logged, and of volumes that are counted. */
function ephemeralUse(pod: PodUsage, details: NodeDetails): FileUse {
  const { logs, volumes } = details.storage.get(pod.pod.metadata.uid ?? '') ?? {};
  const all: readonly (Use | undefined)[] = [
    ...pod.containers.flatMap(({ record }) => [details.writable.get(record.id), logs?.get(record.id)]),
    ...(volumes?.values() ?? []),
  ];
  const sum = (of: (use: Use) => number | undefined): number =>
    all.reduce((total, use) => total + (use === undefined ? 0 : (of(use) ?? 0)), 0);
  return { usedBytes: sum((use) => use.usedBytes), usedInodes: sum((use) => use.usedInodes) };
}

function storageStats(pod: PodUsage, details: NodeDetails): object {
  const { disk, networks, storage } = details;
  const uid = pod.pod.metadata.uid ?? '';
  const { timeMs } = pod.usage;
  const volumes = storage.get(uid)?.volumes ?? new Map<string, Disk>();
  return {
    network: networkStats(networks.get(uid) ?? [], 'eth0', timeMs),
    volume: Array.from(volumes, ([name, of]) => ({ ...fsStats(of, timeMs), name })),
    'ephemeral-storage': fsStats(disk, timeMs, ephemeralUse(pod, details)),
  };
}

function containerStats(
  { record, usage }: PodUsage['containers'][number],
  podUid: string,
  details: NodeDetails | undefined,
): object {
  const { state, createdAtMs } = record;
  const startTime = time(state.kind === 'running' ? state.startedAtMs : createdAtMs);
  const shown = { name: record.name, startTime, ...usageStats(usage) };
  if (details === undefined) return shown;
  const { timeMs } = usage;
  const rootfs = fsStats(details.images ?? details.disk, timeMs, details.writable.get(record.id) ?? {});
  const logs = details.storage.get(podUid)?.logs.get(record.id) ?? {};
  return { ...shown, rootfs, logs: fsStats(details.disk, timeMs, logs) };
}

function podStats(pod: PodUsage, details: NodeDetails | undefined): object {
  const { name, namespace, uid = '' } = pod.pod.metadata;
  return {
    podRef: { name, namespace, uid },
    startTime: time(pod.sandbox.createdAtMs),
    containers: pod.containers.map((container) => containerStats(container, uid, details)),
    ...usageStats(pod.usage),
    ...(details === undefined ? {} : storageStats(pod, details)),
  };
}

function nodeStorage(details: NodeDetails, timeMs: number): object {
  const { network, defaultInterface, disk, images, tasks } = details;
  return {
    network: networkStats(network, defaultInterface, timeMs),
    fs: fsStats(disk, timeMs),
    runtime: {
      imageFs: fsStats(images ?? disk, timeMs),
      containerFs: fsStats(images ?? disk, timeMs),
    },
    rlimit: { time: time(timeMs), maxpid: tasks.max, curproc: tasks.running },
  };
}

/**
 * The kubelet's Summary; without details as with `only_cpu_and_memory=true`. Pure. Source: `k8s.io/kubelet`
 * `pkg/apis/stats/v1alpha1`.
 */
export function summary(
  { nodeName, bootTimeMs, startTimeMs }: SummaryOptions,
  usage: NodeUsage,
  details?: NodeDetails,
): object {
  const startTime = time(bootTimeMs);
  const system = [
    { name: 'kubelet', startTime: time(startTimeMs), ...usageStats(usage.agent) },
    { name: 'pods', startTime, ...usageStats(usage.allPods.usage) },
  ];
  return {
    node: {
      nodeName,
      systemContainers: system,
      startTime,
      ...usageStats(usage.node),
      ...(details === undefined ? {} : nodeStorage(details, usage.node.timeMs)),
    },
    pods: usage.pods.map((pod) => podStats(pod, details)),
  };
}
