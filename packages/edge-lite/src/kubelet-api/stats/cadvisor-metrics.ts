import type { Family, Labels } from '@selvedge/kit';
import { type FamilySamples, family, filled } from './families.ts';
import type { MachineIdentity } from './machine.ts';
import type { CgroupDetails, Disk, FileUse, InterfaceCounters, Usage } from './types.ts';

/** One cgroup as a scrape shows it. */
export interface CgroupShown {
  /** `container`, `id`, `image`, `name`, `namespace`, `pod`. */
  readonly labels: Labels;
  readonly usage: Usage;
  /** Undefined for the machine. */
  readonly details: CgroupDetails | undefined;
  readonly network: readonly InterfaceCounters[];
  readonly startedAtMs: number | undefined;
  readonly disk: { readonly use: FileUse | undefined; readonly of: Disk } | undefined;
}

export interface MachineShown {
  readonly cores: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  readonly nowMs: number;
  readonly identity: MachineIdentity;
}

type Head = readonly [name: string, type: Family['type'], help: string];
type Read = (shown: CgroupShown) => number | undefined;

const seconds = (ns: number | undefined): number | undefined => (ns === undefined ? undefined : ns / 1e9);
const memory =
  (
    key: 'cacheBytes' | 'rssBytes' | 'mappedFileBytes' | 'swapBytes' | 'usageBytes' | 'workingSetBytes',
  ): Read =>
  ({ usage }) =>
    usage.memory?.[key];
const throttling =
  (key: keyof CgroupDetails['throttling']): Read =>
  ({ details }) =>
    details?.quotaUs === undefined ? undefined : details.throttling[key];

/** One value each. */
const plain: readonly (readonly [Head, Read])[] = [
  [
    ['container_cpu_user_seconds_total', 'counter', 'Cumulative user cpu time consumed in seconds.'],
    ({ details }) => seconds(details?.userNs),
  ],
  [
    ['container_cpu_system_seconds_total', 'counter', 'Cumulative system cpu time consumed in seconds.'],
    ({ details }) => seconds(details?.systemNs),
  ],
  [
    ['container_cpu_cfs_periods_total', 'counter', 'Number of elapsed enforcement period intervals.'],
    throttling('periods'),
  ],
  [
    ['container_cpu_cfs_throttled_periods_total', 'counter', 'Number of throttled period intervals.'],
    throttling('throttledPeriods'),
  ],
  [
    [
      'container_cpu_cfs_throttled_seconds_total',
      'counter',
      'Total time duration the container has been throttled.',
    ],
    (shown) => seconds(throttling('throttledNs')(shown)),
  ],
  [['container_memory_cache', 'gauge', 'Number of bytes of page cache memory.'], memory('cacheBytes')],
  [['container_memory_rss', 'gauge', 'Size of RSS in bytes.'], memory('rssBytes')],
  [
    ['container_memory_mapped_file', 'gauge', 'Size of memory mapped files in bytes.'],
    memory('mappedFileBytes'),
  ],
  [['container_memory_swap', 'gauge', 'Container swap usage in bytes.'], memory('swapBytes')],
  [
    ['container_memory_usage_bytes', 'gauge', 'Current memory usage in bytes, including all memory.'],
    memory('usageBytes'),
  ],
  [
    ['container_memory_working_set_bytes', 'gauge', 'Current working set in bytes.'],
    memory('workingSetBytes'),
  ],
  [
    ['container_memory_max_usage_bytes', 'gauge', 'Maximum memory usage recorded in bytes'],
    ({ details }) => details?.maxUsageBytes,
  ],
  [
    ['container_memory_failcnt', 'counter', 'Number of memory usage hits limits'],
    ({ details }) => details?.memoryFailures,
  ],
  [
    ['container_oom_events_total', 'counter', 'Count of out of memory events observed for the container'],
    ({ details }) => details?.oomKills,
  ],
  [
    ['container_threads', 'gauge', 'Number of threads running inside the container.'],
    ({ details }) => details?.tasks,
  ],
  [
    ['container_start_time_seconds', 'gauge', 'Start time of the container since unix epoch in seconds.'],
    ({ startedAtMs }) => (startedAtMs === undefined ? undefined : startedAtMs / 1000),
  ],
  [
    ['container_spec_cpu_period', 'gauge', 'CPU period of the container.'],
    ({ details }) => details?.periodUs,
  ],
  [['container_spec_cpu_quota', 'gauge', 'CPU quota of the container.'], ({ details }) => details?.quotaUs],
  [['container_spec_cpu_shares', 'gauge', 'CPU share of the container.'], ({ details }) => details?.shares],
  [
    ['container_spec_memory_limit_bytes', 'gauge', 'Memory limit for the container.'],
    ({ usage }) => usage.memory && (usage.memory.limitBytes ?? 0),
  ],
];

type Direction = 'received' | 'sent';
const directions = [
  ['receive', 'received'],
  ['transmit', 'sent'],
] as const satisfies readonly (readonly [string, Direction])[];
const counters = [
  ['bytes', 'bytes'],
  ['errors', 'errors'],
  ['packets_dropped', 'drops'],
  ['packets', 'packets'],
] as const;

const networkFamilies = (all: readonly CgroupShown[]): readonly FamilySamples[] =>
  directions.flatMap(([verb, direction]) =>
    counters.map(([what, key]) =>
      family(
        [`container_network_${verb}_${what}_total`, 'counter', `Cumulative count of ${what} ${direction}`],
        all.flatMap(({ labels, network, usage }) =>
          network.map(
            (one) => [{ ...labels, interface: one.name }, one[direction][key], usage.timeMs] as const,
          ),
        ),
      ),
    ),
  );

const transfers = [
  ['reads_bytes', 'readBytes'],
  ['reads', 'reads'],
  ['writes_bytes', 'writtenBytes'],
  ['writes', 'writes'],
] as const;

const transferFamilies = (all: readonly CgroupShown[]): readonly FamilySamples[] =>
  transfers.map(([what, key]) =>
    family(
      [`container_fs_${what}_total`, 'counter', `Cumulative count of ${what.replace('_', ' in ')}`],
      all.flatMap(({ labels, details, usage }) =>
        (details?.io ?? []).map(
          (one) => [{ ...labels, device: one.device }, one[key], usage.timeMs] as const,
        ),
      ),
    ),
  );

const diskFamilies = (all: readonly CgroupShown[]): readonly FamilySamples[] => {
  const of = (
    head: Head,
    read: (disk: NonNullable<CgroupShown['disk']>) => number | undefined,
  ): FamilySamples =>
    family(
      head,
      all.flatMap(({ labels, disk, usage }) =>
        disk === undefined ? [] : [[{ ...labels, device: '' }, read(disk), usage.timeMs] as const],
      ),
    );
  return [
    of(
      ['container_fs_limit_bytes', 'gauge', 'Number of bytes that can be consumed on this filesystem.'],
      (disk) => disk.of.capacityBytes,
    ),
    of(
      ['container_fs_usage_bytes', 'gauge', 'Number of bytes that are consumed on this filesystem.'],
      ({ use }) => use?.usedBytes,
    ),
    of(['container_fs_inodes_total', 'gauge', 'Number of inodes'], (disk) => disk.of.inodes),
    of(['container_fs_inodes_free', 'gauge', 'Number of available inodes'], (disk) => disk.of.freeInodes),
  ];
};

function machineFamilies(machine: MachineShown): readonly FamilySamples[] {
  const { bootId, machineId, systemUuid } = machine.identity;
  const labels = { boot_id: bootId, machine_id: machineId, system_uuid: systemUuid };
  const one = (head: Head, value: number): FamilySamples => family(head, [[labels, value]]);
  return [
    one(['machine_cpu_cores', 'gauge', 'Number of logical CPU cores.'], machine.cores),
    one(['machine_memory_bytes', 'gauge', 'Amount of memory installed on the machine.'], machine.memoryBytes),
    one(
      ['machine_swap_bytes', 'gauge', 'Amount of swap memory available on the machine.'],
      machine.swapBytes,
    ),
  ];
}

/** Those of cAdvisor that dashboards and alerts use, in its names and labels. Pure. Source: cAdvisor `metrics/prometheus.go`. */
export function cadvisorMetrics(
  machine: MachineShown,
  all: readonly CgroupShown[],
): readonly FamilySamples[] {
  const total = { cpu: 'total' };
  return filled([
    family(
      ['container_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed in seconds.'],
      all.map(({ labels, usage }) => [{ ...labels, ...total }, seconds(usage.cpu?.usageNs), usage.timeMs]),
    ),
    ...plain.map(([head, read]) =>
      family(
        head,
        all.map((shown) => [shown.labels, read(shown), shown.usage.timeMs]),
      ),
    ),
    ...diskFamilies(all),
    ...transferFamilies(all),
    ...networkFamilies(all),
    family(
      ['container_last_seen', 'gauge', 'Last time a container was seen by the exporter'],
      all.map(({ labels }) => [labels, Math.floor(machine.nowMs / 1000)]),
    ),
    family(
      [
        'container_scrape_error',
        'gauge',
        '1 if there was an error while getting container metrics, 0 otherwise',
      ],
      [[{}, 0]],
    ),
    ...machineFamilies(machine),
  ]);
}
