import type { Clock } from '@selvedge/kit';
import {
  type ClusterClient,
  type LogsSight,
  type PodSight,
  isProxyPod,
  listPods,
  lookAtLogs,
  lookAtServices,
  readContainers,
  rememberPods,
  removeConditions,
} from '../cluster/index.ts';
import { type Home, type Remembered, convertCommand, recall, remember } from '../revert/index.ts';
import type { Step } from '../steps/index.ts';
import type { Workable } from './plan.ts';

/** What there was before a node was touched. */
export interface Before {
  readonly remembered: Remembered;
  readonly logs: LogsSight;
}

export interface BeginDeps {
  readonly cluster: ClusterClient;
  readonly clock: Clock;
  readonly version: string;
  /** Steps for a node that was never begun. */
  readonly stepsOf: (finding: Workable) => readonly Step[];
}

interface Beginning {
  readonly finding: Workable;
  readonly home: Home;
}

async function rememberedOf(
  { finding: { machine }, home }: Beginning,
  pods: readonly PodSight[],
  { cluster, clock, signal }: BeginDeps & { readonly signal: AbortSignal },
): Promise<Remembered> {
  const isMeant = (pod: PodSight): boolean => isProxyPod(machine.layout.kubeProxy, pod);
  const containers = await readContainers(home.host, signal);
  const hasProxy = machine.layout.kubeProxy.kind !== 'none';
  const services = hasProxy ? await lookAtServices(cluster, home.host, signal) : undefined;
  return { containers, ...rememberPods(pods, { nowMs: clock.now(), isMeant }), services };
}

/** Begins a run on the machine, unless one is there that goes on. */
export async function begin(beginning: Beginning, deps: BeginDeps, signal: AbortSignal): Promise<Before> {
  const { finding, home } = beginning;
  const { cluster, clock, version } = deps;
  const { name } = finding.node;
  const pods = await listPods(cluster, name, signal);
  const logs = await lookAtLogs(cluster, pods, signal);
  const isBegun = home.journal.state.kind === 'begun';
  const kept = isBegun ? await recall(home, signal) : undefined;
  const remembered = kept ?? (await rememberedOf(beginning, pods, { ...deps, signal }));
  if (kept === undefined) await remember(home, remembered, signal);
  if (isBegun) return { remembered, logs };
  // What an earlier hub said would be taken for what this one says.
  await removeConditions(cluster, name, signal);
  const at = new Date(clock.now()).toISOString();
  const run = { run: home.run, command: convertCommand, version, at } as const;
  await home.journal.write({ kind: 'begun', ...run, steps: deps.stepsOf(finding) }, signal);
  return { remembered, logs };
}
