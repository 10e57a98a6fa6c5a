import type { PodObserved, SandboxRecord } from '../../runtime/index.ts';
import type { Ending, PodDesired } from './desired.ts';
import { planEnd, planRemove, planStop } from './end.ts';
import { planInit } from './init.ts';
import { planRegular } from './regular.ts';
import { planRetention } from './retain.ts';
import { isDone, judgeSandbox } from './sandbox.ts';
import type { Step } from './step.ts';
import { type View, graceSeconds, mayRun, specOf, stopContainer } from './view.ts';

/** An ending that has just begun, for a pod whose containers are all done. */
const endingNow: Ending = { spentMs: 0, graceSeconds: undefined };

/** Everything that may still run outside of the current sandbox: it would be a second instance. */
function planStrays(view: View, current: SandboxRecord | undefined): readonly Step[] {
  const stops = view.observed.containers
    .filter((record) => mayRun(record) && record.sandboxId !== current?.id)
    .map((record) =>
      stopContainer(record, {
        grace: graceSeconds(view, undefined),
        message: `Stopping container ${record.name}`,
      }),
    );
  if (stops.length > 0) return stops;
  return view.observed.sandboxes
    .filter((sandbox) => sandbox.id !== current?.id)
    .filter((sandbox) => sandbox.state === 'ready' || !view.desired.stoppedSandboxes.has(sandbox.id))
    .map((sandbox) => ({ kind: 'stop-sandbox', sandboxId: sandbox.id }));
}

function planSandbox(view: View, attempt: number): readonly Step[] {
  if (isDone(view)) return planStop(view, endingNow);
  const strays = planStrays(view, undefined);
  if (strays.some((step) => step.kind === 'stop-container')) return strays;
  if (!view.desired.networkReady && specOf(view).hostNetwork !== true) {
    return [...strays, { kind: 'wait-for-network' }];
  }
  return [...strays, ...planVolumes(view), { kind: 'create-sandbox', attempt }];
}

function planVolumes(view: View): readonly Step[] {
  return view.desired.volumes === 'ready' ? [] : [{ kind: 'prepare-volumes' }];
}

function planContainers(view: View, sandbox: SandboxRecord): readonly Step[] {
  const init = planInit(view, sandbox);
  if (init.failed) return planStop(view, endingNow);
  if (!init.initialized) return init.steps;
  const regular = planRegular(view, sandbox);
  return regular.alive ? [...init.steps, ...regular.steps] : planStop(view, endingNow);
}

function planRun(view: View): readonly Step[] {
  const verdict = judgeSandbox({ observed: view.observed, hostNetwork: specOf(view).hostNetwork === true });
  if (verdict.kind === 'needed') return planSandbox(view, verdict.attempt);
  const strays = planStrays(view, verdict.sandbox);
  if (strays.length > 0) return strays;
  const steps = planContainers(view, verdict.sandbox);
  // What is over needs no volumes, and its last instances are kept.
  if (steps.some((step) => step.kind === 'stop-sandbox')) return steps;
  return [...planVolumes(view), ...steps, ...planRetention(view, verdict.sandbox)];
}

/**
 * The steps that bring a pod nearer to what is wanted of it; empty when it is there. Pure: the same question has the
 * same answer, and a step that failed or never happened is planned again.
 * Source: `computePodActions` in `pkg/kubelet/kuberuntime/kuberuntime_manager.go` of Kubernetes 1.36.
 */
export function plan(desired: PodDesired, observed: PodObserved, nowMs: number): readonly Step[] {
  const view: View = { desired, observed, nowMs };
  switch (desired.goal.kind) {
    case 'run':
      return planRun(view);
    case 'halt':
      return planStop(view, desired.goal.ending);
    case 'stop':
      return planEnd(view, desired.goal.ending);
    case 'remove':
      return planRemove(view, desired.goal.ending);
  }
}
