import { formatQuantity, milliUnitsOf, parseQuantity, unitsOf } from '@selvedge/kube';
import type { HostFacts } from './host.ts';

/** Resource names to quantities. */
export type ResourceList = Readonly<Record<string, string>>;

export interface Reserved {
  /** Quantities kept from pods for the system. */
  readonly cpu: string;
  readonly memory: string;
}

export interface ResourceOptions {
  readonly maxPods: number;
  readonly reserved: Reserved;
}

/** The kubelet's defaults of `evictionHard`: what must stay free is not allocatable. */
export const thresholds = {
  memoryAvailableBytes: 100 * 1024 ** 2,
  diskAvailableShare: 0.1,
  freeInodesShare: 0.05,
  /** The kubelet has none; without one a fork bomb shows nowhere. */
  freeTasksShare: 0.05,
};

const kibibytes = (bytes: number): string => `${Math.max(0, Math.floor(bytes / 1024))}Ki`;
const millicores = (milli: number): string => (milli % 1000 === 0 ? `${milli / 1000}` : `${milli}m`);
const canonical = (bytes: number): string => formatQuantity(parseQuantity(kibibytes(bytes)));
const hugePageName = (pageBytes: number): string => `hugepages-${canonical(pageBytes)}`;

function hugePageList({ hugePages }: HostFacts): ResourceList {
  const known = hugePages.map(({ pageBytes, totalBytes }) => [
    hugePageName(pageBytes),
    totalBytes === 0 ? '0' : canonical(totalBytes),
  ]);
  return Object.fromEntries(known);
}

/** What the machine has, in the kubelet's units. */
export function capacity(host: HostFacts, { maxPods }: ResourceOptions): ResourceList {
  return {
    cpu: String(host.cpus),
    'ephemeral-storage': kibibytes(host.disk.totalBytes),
    ...hugePageList(host),
    memory: kibibytes(host.memoryBytes),
    pods: String(maxPods),
  };
}

/**
 * What pods may use of it: without what is reserved, the eviction thresholds and huge pages.
 * Source: kubernetes.io "Reserve Compute Resources for System Daemons".
 */
export function allocatable(host: HostFacts, options: ResourceOptions): ResourceList {
  const reservedMilli = Number(milliUnitsOf(parseQuantity(options.reserved.cpu)));
  const reservedBytes = Number(unitsOf(parseQuantity(options.reserved.memory)));
  const hugeBytes = host.hugePages.reduce((sum, { totalBytes }) => sum + totalBytes, 0);
  const memoryBytes = host.memoryBytes - reservedBytes - thresholds.memoryAvailableBytes - hugeBytes;
  return {
    ...capacity(host, options),
    cpu: millicores(Math.max(0, host.cpus * 1000 - reservedMilli)),
    'ephemeral-storage': String(Math.floor(host.disk.totalBytes * (1 - thresholds.diskAvailableShare))),
    memory: kibibytes(memoryBytes),
  };
}
