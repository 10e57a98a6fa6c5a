import type { Container } from '@selvedge/kube/types';

import type { ContainerRecord, SandboxRecord } from '../../runtime/index.ts';
import { restartsAfter, restartsAfterKill } from './restart.ts';
import type { Step } from './step.ts';
import { type View, graceSeconds, specOf, start, stopContainer } from './view.ts';

export interface RegularPlan {
  readonly steps: readonly Step[];
  /** Whether any container runs on, or is to run. */
  readonly alive: boolean;
}

interface Fault {
  readonly message: string;
  readonly grace: number | undefined;
  /** It is started again whatever the restart policy says. */
  readonly always: boolean;
}

function faultOf({ desired }: View, container: Container, record: ContainerRecord): Fault | undefined {
  const wanted = desired.hashes.get(container.name);
  if (wanted !== undefined && wanted !== record.hash) {
    return { message: `Container ${container.name} definition changed`, grace: undefined, always: true };
  }
  const verdict = desired.verdicts.get(record.id);
  if (verdict?.liveness === false) {
    const grace = container.livenessProbe?.terminationGracePeriodSeconds;
    return { message: `Container ${container.name} failed liveness probe`, grace, always: false };
  }
  if (verdict?.startup === false) {
    const grace = container.startupProbe?.terminationGracePeriodSeconds;
    return { message: `Container ${container.name} failed startup probe`, grace, always: false };
  }
  return undefined;
}

function planRunning(view: View, container: Container, record: ContainerRecord): RegularPlan {
  const fault = faultOf(view, container, record);
  if (fault === undefined) return { steps: [], alive: true };
  const restart = fault.always || restartsAfterKill(container, specOf(view));
  const message = restart ? `${fault.message}, will be restarted` : fault.message;
  const stop = stopContainer(record, { grace: graceSeconds(view, fault.grace), message, restart });
  return { steps: [stop], alive: true };
}

function planOne(view: View, container: Container, sandbox: SandboxRecord): RegularPlan {
  const record = view.observed.containers.find(({ name }) => name === container.name);
  const again = (): RegularPlan => ({ steps: [start(view, container, sandbox)], alive: true });
  if (record === undefined) return again();
  switch (record.state.kind) {
    case 'created':
      return again();
    case 'running':
      return planRunning(view, container, record);
    case 'unknown': {
      const message = 'Container is in "unknown" state, try killing it before restart';
      return {
        steps: [stopContainer(record, { grace: graceSeconds(view, undefined), message })],
        alive: true,
      };
    }
    case 'exited': {
      const owed = view.desired.owedRestarts.has(record.id);
      const restarts = owed || restartsAfter(container, specOf(view), record.state.exitCode);
      return restarts ? again() : { steps: [], alive: false };
    }
  }
}

/** The pod's own containers, in the order of the spec. Source: https://kubernetes.io/docs/concepts/workloads/pods/ */
export function planRegular(view: View, sandbox: SandboxRecord): RegularPlan {
  const plans = specOf(view).containers.map((container) => planOne(view, container, sandbox));
  return { steps: plans.flatMap(({ steps }) => steps), alive: plans.some(({ alive }) => alive) };
}
