import type { Family, Labels } from '@selvedge/kit';
import { type FamilySamples, family, filled } from './families.ts';
import type { ContainerUsage, NodeUsage, Usage } from './types.ts';

type Row = readonly [Labels, Usage];

const measures: readonly (readonly [
  name: string,
  type: Family['type'],
  help: (whose: string) => string,
  read: (usage: Usage) => number | undefined,
])[] = [
  [
    'cpu_usage_seconds_total',
    'counter',
    (whose) => `Cumulative cpu time consumed by the ${whose} in core-seconds`,
    ({ cpu }) => cpu && cpu.usageNs / 1e9,
  ],
  [
    'memory_working_set_bytes',
    'gauge',
    (whose) => `Current working set of the ${whose} in bytes`,
    ({ memory }) => memory?.workingSetBytes,
  ],
  [
    'swap_usage_bytes',
    'gauge',
    (whose) => `Current swap usage of the ${whose} in bytes`,
    ({ memory }) => memory?.swapBytes,
  ],
];

const familiesOf = (whose: string, rows: readonly Row[]): readonly FamilySamples[] =>
  measures.map(([name, type, help, read]) =>
    family(
      [`${whose}_${name}`, type, help(whose)],
      rows.map(([labels, usage]) => [labels, read(usage), usage.timeMs]),
    ),
  );

const rows = (all: readonly { readonly labels: Labels; readonly usage: Usage }[]): readonly Row[] =>
  all.map((one) => [one.labels, one.usage]);

const startSeconds = ({ record }: ContainerUsage): number | undefined =>
  record.state.kind === 'running' ? record.state.startedAtMs / 1000 : undefined;

/**
 * What metrics-server reads; undefined: it could not be found out. Pure. Source: `resource_metrics.go` in
 * `pkg/kubelet/metrics/collectors`.
 */
export function resourceMetrics(usage: NodeUsage | undefined): readonly FamilySamples[] {
  const pods = (usage?.pods ?? []).map((pod) => {
    const { namespace = '', name = '' } = pod.pod.metadata;
    return { ...pod, labels: { namespace, pod: name } };
  });
  const containers = pods.flatMap(({ labels, containers: some }) =>
    some.map((one) => ({ ...one, labels: { container: one.record.name, ...labels } })),
  );
  const failed = usage === undefined ? 1 : 0;
  const error = '1 if there was an error while getting container metrics, 0 otherwise';
  return [
    ...filled([
      ...familiesOf('node', usage === undefined ? [] : [[{}, usage.node]]),
      ...familiesOf('pod', rows(pods)),
      ...familiesOf('container', rows(containers)),
      family(
        ['container_start_time_seconds', 'gauge', 'Start time of the container since unix epoch in seconds'],
        containers.map((one) => [one.labels, startSeconds(one)]),
      ),
    ]),
    family(['resource_scrape_error', 'gauge', error], [[{}, failed]]),
    family(['scrape_error', 'gauge', error], [[{}, failed]]),
  ];
}
