import type { ProbeCount } from '../../pods/index.ts';
import { type FamilySamples, family } from './families.ts';

const results = { success: 'successful', failure: 'failed', unknown: 'unknown' } as const;

/** Pure. Source: `pkg/kubelet/prober/prober_manager.go`. */
export function probeMetrics(counts: readonly ProbeCount[]): FamilySamples {
  const help = 'Cumulative number of a liveness, readiness or startup probe for a container by result.';
  return family(
    ['prober_probe_total', 'counter', help],
    counts.map(({ container, namespace, pod, podUid, probe, result, count }) => [
      {
        container,
        namespace,
        pod,
        pod_uid: podUid,
        probe_type: `${probe.slice(0, 1).toUpperCase()}${probe.slice(1)}`,
        result: results[result],
      },
      count,
    ]),
  );
}
