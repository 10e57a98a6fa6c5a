import type { Pod, PodStatus } from '@selvedge/kube/types';

import type { PodObserved } from '../../runtime/index.ts';
import type { Goal } from '../plan/index.ts';
import type { ObjectRef, ObjectSource } from '../ports.ts';
import type { Prober } from '../probes/index.ts';
import { allContainers, references } from '../spec/index.ts';
import type { PodState } from './state.ts';

/** Disposes of what is no longer wanted and adds what is missing. */
function settle<T>(
  held: Map<string, Disposable>,
  wanted: ReadonlyMap<string, T>,
  open: (what: T) => Disposable,
): void {
  for (const [key, disposable] of held) {
    if (wanted.has(key)) continue;
    disposable[Symbol.dispose]();
    held.delete(key);
  }
  for (const [key, what] of wanted) {
    if (!held.has(key)) held.set(key, open(what));
  }
}

/** Keeps up to date the objects that a pod which is to run refers to. */
export function attendObjects(state: PodState, goal: Goal, source: Pick<ObjectSource, 'follow'>): void {
  const refs = goal.kind === 'run' && state.pod !== undefined ? references(state.pod) : [];
  const wanted = new Map<string, ObjectRef>(refs.map((ref) => [`${ref.resource}/${ref.name}`, ref]));
  settle(state.follows, wanted, (ref) => source.follow(ref));
}

/** Ids of the containers that were reported as started: they are not held against their startup probe again. */
function startedContainers(status: PodStatus | undefined): ReadonlySet<string> {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const started = statuses.filter((one) => one.started === true);
  return new Set(started.map(({ containerID = '' }) => containerID.split('://')[1] ?? ''));
}

/** Probes the running containers. While a pod ends only its readiness still matters. */
export function attendProbes(
  state: PodState,
  goal: Goal,
  deps: { readonly prober: Pick<Prober, 'watch' | 'quiet'>; readonly observed: PodObserved },
): void {
  const { observed, prober } = deps;
  const pod: Pod | undefined = state.pod;
  const podIP = (): string => state.podIP;
  if (goal.kind !== 'run') prober.quiet(state.uid);
  const started = startedContainers(state.saved.status);
  const containers = new Map((pod === undefined ? [] : allContainers(pod)).map((one) => [one.name, one]));
  const wanted = observed.containers.flatMap((record) => {
    const container = containers.get(record.name);
    if (pod === undefined || container === undefined || record.state.kind !== 'running') return [];
    const { startupProbe, readinessProbe, livenessProbe } = container;
    const probed = [startupProbe, readinessProbe, livenessProbe].some((probe) => probe !== undefined);
    if (!probed || (goal.kind !== 'run' && readinessProbe === undefined)) return [];
    const { startedAtMs } = record.state;
    const { id } = record;
    const target = { pod, container, containerId: id, podIP, startedAtMs, started: started.has(id) };
    return [[id, target] as const];
  });
  settle(state.probes, new Map(wanted), (target) => prober.watch(target));
}
