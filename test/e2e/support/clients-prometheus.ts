import { describe, expect, it } from 'vitest';
import {
  type ClientsSite,
  agents,
  busyMebibytes,
  busyPodOf,
  cloudNode,
  mebibyte,
  nodes,
} from './clients-site.ts';
import { until } from './programs.ts';

/** What Prometheus has scraped from the kubelets. */
export function describePrometheus(here: ClientsSite): void {
  describe('Prometheus', () => {
    interface Series {
      readonly metric: Readonly<Record<string, string>>;
      /** When, and how much. */
      readonly value: readonly [number, string];
    }
    const service = '/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1';

    const query = async (promql: string): Promise<readonly Series[]> => {
      const path = `${service}/query?query=${encodeURIComponent(promql)}`;
      const { stdout } = await here.bed.kubectl(['get', '--raw', path]);
      return (JSON.parse(stdout) as { readonly data: { readonly result: readonly Series[] } }).data.result;
    };

    /** Its value at the node, as soon as there is one. */
    const valueAt = async (node: string, promql: string): Promise<number> =>
      until(`${promql} of ${node}`, async () => {
        const found = (await query(promql)).find(({ metric }) => metric['node'] === node);
        return found !== undefined && Number(found.value[1]);
      });

    it('finds all kubelets up', async () => {
      const jobs = ['kubelet', 'kubelet-cadvisor', 'kubelet-resource', 'kubelet-probes'];
      const wanted = [cloudNode, ...Object.values(nodes)].flatMap((node) =>
        jobs.map((job) => `${node} ${job}`),
      );
      const up = await until('all targets', async () => {
        const found = await query('up == 1');
        return found.length === wanted.length && found;
      });
      const shown = up.map(({ metric }) => `${metric['node']} ${metric['job']}`);
      expect(shown.toSorted()).toEqual(wanted.toSorted());
      expect(new Set(up.map(({ metric }) => metric['instance']))).toContain(`${nodes.lite}:10250`);
    });

    it.each(agents)('has the series of a %s node', async (agent) => {
      const node = nodes[agent];
      expect(await valueAt(node, 'kubelet_running_pods')).toBe(2);
      expect(
        await valueAt(node, 'sum by (node) (container_cpu_usage_seconds_total{id=~".*kubepods.*"})'),
      ).toBeGreaterThan(0);
      const memory = `container_memory_working_set_bytes{job="kubelet-resource", pod="${busyPodOf(agent)}", container="burn"}`;
      expect(await valueAt(node, memory)).toBeGreaterThanOrEqual(busyMebibytes * mebibyte);
      const probes = `prober_probe_total{pod="hook-${node}", probe_type="Readiness", result="successful"}`;
      expect(await valueAt(node, probes)).toBeGreaterThan(0);
    });
  });
}
