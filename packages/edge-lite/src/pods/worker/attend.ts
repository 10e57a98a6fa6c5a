import type { Pod } from '@selvedge/kube/types';

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

interface Running {
  readonly observed: PodObserved;
  readonly podIP: string;
}

/** Probes the running containers. While a pod ends only its readiness still matters. */
export function attendProbes(
  state: PodState,
  goal: Goal,
  deps: { readonly prober: Pick<Prober, 'watch'>; readonly now: Running },
): void {
  const { observed, podIP } = deps.now;
  const pod: Pod | undefined = state.pod;
  const containers = new Map((pod === undefined ? [] : allContainers(pod)).map((one) => [one.name, one]));
  const wanted = observed.containers.flatMap((record) => {
    const container = containers.get(record.name);
    if (pod === undefined || container === undefined || record.state.kind !== 'running') return [];
    const { startupProbe, readinessProbe, livenessProbe } = container;
    const probed = [startupProbe, readinessProbe, livenessProbe].some((probe) => probe !== undefined);
    if (!probed || (goal.kind !== 'run' && readinessProbe === undefined)) return [];
    const { startedAtMs } = record.state;
    return [[record.id, { pod, container, containerId: record.id, podIP, startedAtMs }] as const];
  });
  settle(state.probes, new Map(wanted), (target) => deps.prober.watch(target));
}
