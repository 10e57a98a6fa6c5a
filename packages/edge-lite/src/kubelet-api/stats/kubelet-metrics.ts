import type { PodObserved } from '../../runtime/index.ts';
import { type FamilySamples, family } from './families.ts';
import type { NodeUsage } from './types.ts';

const states = ['created', 'running', 'exited', 'unknown'] as const;

/** What dashboards of kubelets look for beside the agent's own metrics. Pure. Source: `pkg/kubelet/metrics/metrics.go`. */
export function kubeletMetrics(
  { nodeName, startTimeMs }: { readonly nodeName: string; readonly startTimeMs: number },
  pods: readonly PodObserved[],
  agent: NodeUsage['agent'],
): readonly FamilySamples[] {
  const containers = pods.flatMap((pod) => pod.containers);
  const running = pods.filter(({ sandboxes }) => sandboxes.some(({ state }) => state === 'ready'));
  return [
    family(
      ['kubelet_node_name', 'gauge', "The node's name. The count is always 1."],
      [[{ node: nodeName }, 1]],
    ),
    family(
      ['kubelet_running_pods', 'gauge', 'Number of pods that have a running pod sandbox'],
      [[{}, running.length]],
    ),
    family(
      ['kubelet_running_containers', 'gauge', 'Number of containers currently running'],
      states.map((state) => [
        { container_state: state },
        containers.filter((one) => one.state.kind === state).length,
      ]),
    ),
    family(
      ['process_cpu_seconds_total', 'counter', 'Total user and system CPU time spent in seconds.'],
      [[{}, agent.cpu && agent.cpu.usageNs / 1e9]],
    ),
    family(
      ['process_resident_memory_bytes', 'gauge', 'Resident memory size in bytes.'],
      [[{}, agent.memory?.rssBytes]],
    ),
    family(
      ['process_start_time_seconds', 'gauge', 'Start time of the process since unix epoch in seconds.'],
      [[{}, startTimeMs / 1000]],
    ),
  ];
}
