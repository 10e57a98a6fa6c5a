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
import { type MachineSession, type Remembered, convertCommand, recall, remember } from '../session/index.ts';
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
  readonly session: MachineSession;
}

async function rememberedOf(
  { finding: { machine }, session }: Beginning,
  pods: readonly PodSight[],
  { cluster, clock, signal }: BeginDeps & { readonly signal: AbortSignal },
): Promise<Remembered> {
  const isMeant = (pod: PodSight): boolean => isProxyPod(machine.layout.kubeProxy, pod);
  const containers = await readContainers(session.host, signal);
  const hasProxy = machine.layout.kubeProxy.kind !== 'none';
  const services = hasProxy ? await lookAtServices(cluster, session.host, signal) : undefined;
  return { containers, ...rememberPods(pods, { nowMs: clock.now(), isMeant }), services };
}

/**
 * How many steps there are up to the last that sends a large file: until then there is nothing of Kubernetes among them. A line to a
 * machine may be so slow that they last for days.
 */
export const sendingSteps = ({ journal: { state } }: MachineSession): number =>
  state.kind === 'none' ? 0 : state.steps.findLastIndex(({ step }) => step.kind === 'upload') + 1;

/** A step after those was begun: what is there by now is not what was there before. */
function hasChanged(session: MachineSession): boolean {
  const { state } = session.journal;
  if (state.kind === 'none') return false;
  return state.steps.slice(sendingSteps(session)).some(({ progress }) => progress.kind !== 'todo');
}

/** Begins a run on the machine, unless one is there that goes on. Looks anew as long as nothing of Kubernetes was changed. */
export async function begin(beginning: Beginning, deps: BeginDeps, signal: AbortSignal): Promise<Before> {
  const { finding, session } = beginning;
  const { cluster, clock, version } = deps;
  const { name } = finding.node;
  const pods = await listPods(cluster, name, signal);
  const logs = await lookAtLogs(cluster, pods, signal);
  const isBegun = session.journal.state.kind === 'begun';
  const kept = hasChanged(session) ? await recall(session, signal) : undefined;
  const remembered = kept ?? (await rememberedOf(beginning, pods, { ...deps, signal }));
  if (kept === undefined) await remember(session, remembered, signal);
  if (isBegun) return { remembered, logs };
  // What an earlier hub said would be taken for what this one says.
  await removeConditions(cluster, name, signal);
  const at = new Date(clock.now()).toISOString();
  const run = { run: session.run, command: convertCommand, version, at } as const;
  await session.journal.write({ kind: 'begun', ...run, steps: deps.stepsOf(finding) }, signal);
  return { remembered, logs };
}
