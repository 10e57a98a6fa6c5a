import { readFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { systemClock } from '@selvedge/kit';
import { describe, expect, test } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { type MetricSample, parseMetrics } from './metrics-text.ts';

export interface StatsWorld {
  readonly nodeName: string;
  /** As somebody who may read statistics and metrics. */
  ask(path: string): Promise<{ readonly status: number; readonly text: string }>;
}

/** Fields of a Summary and labels of series, as a kubelet 1.36.3 with containerd 2.4 gave them on this kind of machine. */
interface KubeletAnswers {
  readonly summary: readonly string[];
  readonly metrics: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

const kubeletAnswers = async (): Promise<KubeletAnswers> =>
  JSON.parse(await readFile(new URL('kubelet-answers.json', import.meta.url), 'utf8')) as KubeletAnswers;

/** `pods[].cpu.time`. */
function fieldsOf(value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one) => fieldsOf(one, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = path === '' ? key : `${path}.${key}`;
    return [own, ...fieldsOf(inner, own)];
  });
}

const byName = (a: string, b: string): number => (a < b ? -1 : 1);

/** What docs/reference/kubelet-api.md says is not there. */
const left = /\.(psi|io|io\.time|swapAvailableBytes)$|systemContainers\[\]\.memory\.availableBytes$/;

export function describeStats(world: StatsWorld): void {
  const get = async (path: string): Promise<string> => {
    const { status, text } = await world.ask(path);
    expect(status).toBe(200);
    return text;
  };
  const scrape = async (path: string): Promise<readonly MetricSample[]> => parseMetrics(await get(path));
  const value = (samples: readonly MetricSample[], name: string, labels: object = {}): number => {
    const found = samples.filter((one) => one.name === name);
    const [match] = found.filter((one) => expect.objectContaining(labels).asymmetricMatch(one.labels));
    return match?.value ?? Number.NaN;
  };
  const main = { namespace: 'default', pod: 'till', container: 'main' };

  describe('statistics', () => {
    test('tell what the node, its pods and their containers use', async () => {
      const all = JSON.parse(await get('/stats/summary')) as object;
      const used = { workingSetBytes: expect.any(Number), usageBytes: expect.any(Number) };
      const disk = { capacityBytes: expect.any(Number), availableBytes: expect.any(Number) };
      const container = {
        name: 'main',
        cpu: { usageCoreNanoSeconds: expect.any(Number) },
        memory: used,
        rootfs: { ...disk, usedBytes: expect.any(Number) },
        logs: { ...disk, usedBytes: expect.any(Number) },
      };
      expect(all).toMatchObject({
        node: {
          nodeName: world.nodeName,
          memory: { ...used, availableBytes: expect.any(Number) },
          fs: disk,
          runtime: { imageFs: { ...disk, usedBytes: expect.any(Number) } },
        },
        pods: expect.arrayContaining([
          expect.objectContaining({
            podRef: expect.objectContaining({ name: 'till' }),
            containers: expect.arrayContaining([expect.objectContaining({ name: 'main' })]),
          }),
        ]),
      });
      const { pods } = all as { pods: { podRef: { name: string }; containers: { name: string }[] }[] };
      const till = pods.find(({ podRef }) => podRef.name === 'till');
      expect(till?.containers.find(({ name }) => name === 'main')).toMatchObject(container);
    });

    test('say what metrics-server reads, with the time of the sample', async () => {
      const samples = await scrape('/metrics/resource');
      expect(value(samples, 'scrape_error')).toBe(0);
      expect(value(samples, 'node_memory_working_set_bytes')).toBeLessThan(totalmem());
      expect(value(samples, 'node_cpu_usage_seconds_total')).toBeGreaterThan(0);
      expect(value(samples, 'container_memory_working_set_bytes', main)).toBeGreaterThan(0);
      expect(value(samples, 'container_cpu_usage_seconds_total', main)).toBeGreaterThan(0);
      const begun = value(samples, 'container_start_time_seconds', main);
      expect(Math.abs(begun - Date.now() / 1000)).toBeLessThan(3600);
      const cpu = samples.find(({ name }) => name === 'node_cpu_usage_seconds_total');
      expect(Math.abs((cpu?.timestampMs ?? 0) - Date.now())).toBeLessThan(60_000);
    });

    test('have the series of cAdvisor', async () => {
      const samples = await scrape('/metrics/cadvisor');
      expect(value(samples, 'machine_cpu_cores')).toBe(cpus().length);
      const names = new Set(
        samples.filter((one) => one.labels['container'] === 'main').map(({ name }) => name),
      );
      for (const name of [
        'container_cpu_usage_seconds_total',
        'container_memory_working_set_bytes',
        'container_memory_rss',
        'container_memory_cache',
        'container_memory_usage_bytes',
        'container_fs_usage_bytes',
        'container_spec_memory_limit_bytes',
        'container_start_time_seconds',
      ]) {
        expect(names).toContain(name);
      }
      expect(value(samples, 'container_cpu_usage_seconds_total', { ...main, cpu: 'total' })).toBeGreaterThan(
        0,
      );
    });

    test('have the fields and labels of a kubelet', async () => {
      const kubelet = await kubeletAnswers();
      // The rate of CPU needs a sample before.
      await waitFor({ what: 'all fields' }, systemClock, async () => {
        const fields = new Set(fieldsOf(JSON.parse(await get('/stats/summary'))));
        const missing = kubelet.summary.filter((field) => !fields.has(field) && !left.test(field));
        if (missing.length > 0) throw new Error(`not in the summary: ${missing.join(', ')}`);
        return true;
      });
      const shown = (labels: readonly string[]): string => labels.toSorted(byName).join();
      for (const [path, series] of Object.entries(kubelet.metrics)) {
        const samples = await scrape(path);
        const others = samples.filter(
          ({ name, labels }) => shown(Object.keys(labels)) !== shown(series[name] ?? Object.keys(labels)),
        );
        expect(others).toEqual([]);
      }
      const names = (await scrape('/metrics/resource')).map(({ name }) => name);
      const { container_swap_limit_bytes: _, ...resource } = kubelet.metrics['/metrics/resource'] ?? {};
      expect(names).toEqual(expect.arrayContaining(Object.keys(resource)));
    });

    test('count pods and containers beside what the agent says of itself', async () => {
      const samples = await scrape('/metrics');
      expect(value(samples, 'kubelet_node_name', { node: world.nodeName })).toBe(1);
      expect(value(samples, 'kubelet_running_pods')).toBeGreaterThan(0);
      expect(value(samples, 'kubelet_running_containers', { container_state: 'running' })).toBeGreaterThan(1);
      expect(value(samples, 'selvedge_kubelet_api_requests_total', { path: '/stats' })).toBeGreaterThan(0);
      expect(await scrape('/metrics/probes')).toEqual([]);
    });
  });
}
