import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { type Clock, type Logger, type MetricsRegistry, isAbort, renderFamilies } from '@selvedge/kit';
import type { ProbeCount } from '../../pods/index.ts';
import type { Runtime } from '../../runtime/index.ts';
import type { Answer } from '@selvedge/kit/serve';
import { jsonAnswer } from '../errors.ts';
import type { PodSource } from '../pods.ts';
import type { KubeletRequest, KubeletRoute } from '../types.ts';
import { aged } from './aged.ts';
import { cadvisorMetrics } from './cadvisor-metrics.ts';
import { readKernelText } from './cgroup-files.ts';
import { cgroupReaderV1 } from './cgroup-v1.ts';
import { cgroupReaderV2 } from './cgroup-v2.ts';
import { nodeShown, podCgroupsShown } from './cgroups-shown.ts';
import { createDetailsReader } from './details.ts';
import { type FamilySamples, filled } from './families.ts';
import { kubeletMetrics } from './kubelet-metrics.ts';
import { createMachineReader } from './machine.ts';
import { probeMetrics } from './probe-metrics.ts';
import { resourceMetrics } from './resource-metrics.ts';
import { summary } from './summary.ts';
import type { NodeUsage } from './types.ts';
import { type CgroupPlace, createUsageReader } from './usage.ts';

export interface StatsOptions extends CgroupPlace {
  readonly nodeName: string;
  readonly cgroupVersion: 1 | 2;
  readonly podsFolder: string;
  /** Of the machine. */
  readonly cores: number;
  /** When this process began, in milliseconds since the epoch. */
  readonly startTimeMs: number;
  /** Defaults: `/sys/fs/cgroup` and `/proc`. */
  readonly cgroupMount?: string;
  readonly proc?: string;
}

export interface StatsDeps {
  readonly source: PodSource;
  readonly runtime: Pick<Runtime, 'observeAll' | 'writableLayers' | 'imageDisk'>;
  /** How probes went, of containers that run. */
  readonly probes: () => readonly ProbeCount[];
  /** What this process used. */
  readonly self: () => { readonly cpuNs: number; readonly rssBytes: number };
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

const zip = promisify(gzip);

/** Samples are as old as this at most; of disks and what the runtime counts, as the second. */
const ages = { usageMs: 2_000, storageMs: 30_000 };

const metricsAnswer = (text: string): Whole => ({
  status: 200,
  headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
  body: Buffer.from(text),
});

type Whole = Answer & { readonly body: Uint8Array };
type Page = (request: KubeletRequest) => Promise<Whole>;

const smallBytes = 1024;

/** Scrapers take it compressed: a twentieth of what else crosses the uplink each time. */
async function compressed(answer: Whole, { headers }: KubeletRequest): Promise<Answer> {
  const wanted = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:[,\s]|$))/.test(headers['accept-encoding'] ?? '');
  if (!wanted || answer.body.byteLength < smallBytes) return answer;
  const body = await zip(answer.body, { level: constants.Z_BEST_SPEED });
  return { ...answer, body, headers: { ...answer.headers, 'content-encoding': 'gzip' } };
}

const route = (path: string, page: Page): KubeletRoute => ({
  kind: 'answer',
  methods: ['GET'],
  path,
  handle: async (request) => compressed(await page(request), request),
});

const rendered =
  (families: (request: KubeletRequest) => Promise<readonly FamilySamples[]>): Page =>
  async (request) =>
    metricsAnswer(renderFamilies(await families(request)));

function createReaders(options: StatsOptions, deps: StatsDeps) {
  const { cgroupMount = '/sys/fs/cgroup', proc = '/proc', cgroupVersion, podsFolder } = options;
  const { clock } = deps;
  const reader = cgroupVersion === 1 ? cgroupReaderV1 : cgroupReaderV2;
  const cgroups = reader(cgroupMount, readKernelText);
  const machine = createMachineReader(proc, readKernelText);
  const parts = { ...deps, cgroups, machine };
  const usage = aged({ maxAgeMs: ages.usageMs }, { clock }, createUsageReader(options, parts));
  const detailed = { ...options, podsFolder, storageAgeMs: ages.storageMs };
  const details = aged(
    { maxAgeMs: ages.usageMs },
    { clock },
    createDetailsReader(detailed, { ...parts, usage }),
  );
  return { cgroups, machine, usage, details };
}

/** Statistics and metrics. Source: `pkg/kubelet/server/server.go`, "InstallAuthNotRequiredHandlers". */
export function statsRoutes(options: StatsOptions, deps: StatsDeps): readonly KubeletRoute[] {
  const { clock, runtime, log } = deps;
  const { cgroups, machine, usage, details } = createReaders(options, deps);
  const summaryPage: Page = async ({ query, signal }) => {
    const brief = query.get('only_cpu_and_memory') === 'true';
    const all = brief ? undefined : await details(signal);
    const of = { ...options, bootTimeMs: machine.bootTimeMs() };
    return jsonAnswer(summary(of, all?.usage ?? (await usage(signal)), all));
  };
  /** A scraper is told in a series of its own. */
  const resources = async (signal: AbortSignal): Promise<NodeUsage | undefined> =>
    usage(signal).catch((error: unknown) => {
      if (isAbort(error, signal)) throw error;
      log.warn('usage of pods not found out', { error });
      return undefined;
    });
  const cadvisor = async (signal: AbortSignal): Promise<readonly FamilySamples[]> => {
    const all = await details(signal);
    const nowMs = clock.now();
    const swapBytes = machine.swapBytes();
    const memoryBytes = all.usage.node.memory?.limitBytes ?? 0;
    const showing = { place: options, cgroups, details: all, nowMs };
    const shown = [...nodeShown(showing), ...(await podCgroupsShown(showing, signal))];
    const { cores } = options;
    const identity = machine.identity();
    return cadvisorMetrics({ cores, memoryBytes, swapBytes, nowMs, identity }, shown);
  };
  const kubelet = async (signal: AbortSignal): Promise<readonly FamilySamples[]> => {
    const pods = await runtime.observeAll(signal);
    return kubeletMetrics(options, pods, (await usage(signal)).agent);
  };
  return [
    route('/stats/summary', summaryPage),
    route(
      '/metrics/resource',
      rendered(async ({ signal }) => resourceMetrics(await resources(signal))),
    ),
    route(
      '/metrics/cadvisor',
      rendered(async ({ signal }) => cadvisor(signal)),
    ),
    route(
      '/metrics/probes',
      rendered(async () => filled([probeMetrics(deps.probes())])),
    ),
    route('/metrics', async ({ signal }) =>
      metricsAnswer(deps.metrics.render() + renderFamilies(await kubelet(signal))),
    ),
  ];
}
