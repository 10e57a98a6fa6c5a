import type { Pod, PodStatus } from '@selvedge/kube/types';

import type { PodObserved } from '../../runtime/index.ts';
import { type Goal, type ProbeVerdict, type Step, mayRun } from '../plan/index.ts';
import { goSeconds, podStatus } from '../status/index.ts';
import { sayAbout } from '../apply/index.ts';
import { podRef, podTitle, qosClass } from '../spec/index.ts';
import type { WorkerDeps } from './ports.ts';
import type { PodState } from './state.ts';

/** Containers that wait for their back-off say so in the pod's status, and once by an event. */
export function announceBackoffs(
  deps: Pick<WorkerDeps, 'events'>,
  state: PodState,
  steps: readonly Step[],
): void {
  const { pod } = state;
  if (pod === undefined) return;
  for (const step of steps) {
    if (step.kind !== 'wait-for-backoff') continue;
    const title = podTitle(pod);
    const message = `back-off ${goSeconds(step.delayMs)} restarting failed container=${step.container} pod=${title}`;
    state.waiting.set(step.container, { reason: 'CrashLoopBackOff', message });
    if (state.announced.get(step.container) === step.untilMs) continue;
    state.announced.set(step.container, step.untilMs);
    const text = `Back-off restarting failed container ${step.container} in pod ${title}`;
    sayAbout(deps.events, pod, step.container)({ type: 'Warning', reason: 'BackOff', message: text });
  }
}

export interface Sight {
  readonly pod: Pod;
  readonly goal: Goal;
  readonly observed: PodObserved;
  readonly verdicts: ReadonlyMap<string, ProbeVerdict>;
}

/** Whether nothing of the pod runs, and nothing will. */
function hasEnded({ goal, observed }: Sight): boolean {
  return (goal.kind === 'stop' || goal.kind === 'remove') && !observed.containers.some(mayRun);
}

/**
 * Computes the pod's status and reports it, every time: what was saved may not have been delivered before a restart, and
 * the sink compares with what the API shows, so that one that is shown already costs nothing.
 */
export function reportStatus(deps: WorkerDeps, state: PodState, sight: Sight): PodStatus {
  const { pod, observed, verdicts } = sight;
  const status = podStatus({
    pod,
    observed,
    verdicts,
    previous: state.saved.status ?? pod.status,
    waiting: state.waiting,
    ended: hasEnded(sight),
    verdict: state.saved.verdict,
    hostIPs: deps.hostIPs(),
    qosClass: qosClass(pod),
    runtimeName: deps.runtime.health.kind === 'up' ? deps.runtime.health.version.name : 'containerd',
    nowMs: deps.clock.now(),
  });
  if (JSON.stringify(status) !== JSON.stringify(state.saved.status)) {
    measureStart(deps, state, status);
    state.save({ status });
  }
  deps.sink.put(podRef(pod), status);
  return status;
}

/** How long a pod that is new here took until all its containers ran. */
function measureStart(deps: Pick<WorkerDeps, 'clock' | 'metrics'>, state: PodState, status: PodStatus): void {
  const now = deps.clock.monotonicMs();
  if (state.saved.status === undefined) state.newSinceMs = now;
  const runs = status.containerStatuses?.every((one) => one.state?.running !== undefined) === true;
  if (state.newSinceMs === undefined || !runs) return;
  deps.metrics.startSeconds.observe((now - state.newSinceMs) / 1000);
  state.newSinceMs = undefined;
}
