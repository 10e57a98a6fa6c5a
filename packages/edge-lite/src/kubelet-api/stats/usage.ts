import type { Clock } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';
import { podCgroup, qosCgroup } from '../../pods/index.ts';
import type { PodObserved, Runtime } from '../../runtime/index.ts';
import type { PodSource } from '../pods.ts';
import type { MachineReader } from './machine.ts';
import { type CpuRates, createCpuRates } from './rates.ts';
import type { CgroupReader, Measured, NodeUsage, PodUsage, Usage } from './types.ts';

export interface CgroupPlace {
  readonly driver: 'cgroupfs' | 'systemd';
  /** What the node's `kubepods` lies in. */
  readonly root: string;
}

export interface UsageDeps {
  readonly source: PodSource;
  readonly runtime: Pick<Runtime, 'observeAll'>;
  readonly cgroups: CgroupReader;
  readonly machine: MachineReader;
  /** This process. */
  readonly self: () => { readonly cpuNs: number; readonly rssBytes: number };
  readonly clock: Clock;
}

/** As containerd names the cgroups of containers. */
export const containerCgroup = (pod: string, id: string, { driver }: CgroupPlace): string =>
  driver === 'systemd' ? `${pod}/cri-containerd-${id}.scope` : `${pod}/${id}`;

/** Lets what else is ready run. */
export const othersFirst = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function podUsage(
  pod: Pod,
  { sandboxes, containers }: PodObserved,
  { place, deps }: { readonly place: CgroupPlace; readonly deps: UsageDeps },
): PodUsage | undefined {
  const sandbox = sandboxes.find(({ state }) => state === 'ready');
  if (sandbox === undefined) return undefined;
  const { cgroups, clock } = deps;
  const own = podCgroup(pod, place);
  const measured = (cgroup: string): Measured => ({ cgroup, usage: cgroups.usage(cgroup, clock.now()) });
  const running = containers.filter(({ state }) => state.kind === 'running');
  return {
    ...measured(own),
    pod,
    sandbox,
    containers: running.map((record) => ({ ...measured(containerCgroup(own, record.id, place)), record })),
  };
}

const named = (cgroup: string, usage: Usage): Measured => ({ cgroup, usage });

function rated(usage: NodeUsage, rates: CpuRates): NodeUsage {
  const { node, allPods, agent, pods } = usage;
  const all = [
    named('node', node),
    named('agent', agent),
    allPods,
    ...pods,
    ...pods.flatMap((pod) => pod.containers),
  ];
  const found = new Map(rates.rate<Measured>(all).map((one) => [one.cgroup, one.usage]));
  const of = <M extends Measured>(one: M): M => ({ ...one, usage: found.get(one.cgroup) ?? one.usage });
  return {
    node: found.get('node') ?? node,
    agent: found.get('agent') ?? agent,
    allPods: of(allPods),
    pods: pods.map((pod) => ({ ...of(pod), containers: pod.containers.map(of) })),
  };
}

function agentUsage({ self, clock }: UsageDeps): Usage {
  const { cpuNs, rssBytes } = self();
  const memory = {
    usageBytes: rssBytes,
    workingSetBytes: rssBytes,
    rssBytes,
    cacheBytes: 0,
    mappedFileBytes: 0,
    swapBytes: 0,
    pageFaults: 0,
    majorPageFaults: 0,
    limitBytes: undefined,
  };
  return { timeMs: clock.now(), cpu: { usageNs: cpuNs, nanoCores: undefined }, memory };
}

/** Measures the machine, the pods that run and their containers: three small files for each cgroup. */
export function createUsageReader(
  place: CgroupPlace,
  deps: UsageDeps,
): (signal: AbortSignal) => Promise<NodeUsage> {
  const rates = createCpuRates();
  const { source, runtime, machine, cgroups, clock } = deps;
  // The classes of pods lie in it, or for systemd beside those that name it.
  const all = qosCgroup('Guaranteed', place);
  return async (signal) => {
    const observed = new Map((await runtime.observeAll(signal)).map((pod) => [pod.uid, pod]));
    const node = machine.usage(clock.now());
    const allPods = { cgroup: all, usage: cgroups.usage(all, clock.now()) };
    const pods: PodUsage[] = [];
    for (const pod of source.list('pods')) {
      const seen = observed.get(pod.metadata.uid ?? '');
      const usage = seen === undefined ? undefined : podUsage(pod, seen, { place, deps });
      if (usage !== undefined) pods.push(usage);
      await othersFirst();
      signal.throwIfAborted();
    }
    return rated({ node, allPods, agent: agentUsage(deps), pods }, rates);
  };
}
