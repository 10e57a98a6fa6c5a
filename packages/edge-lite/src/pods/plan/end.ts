import type { ContainerRecord } from '../../runtime/index.ts';
import type { Ending } from './desired.ts';
import type { Step } from './step.ts';
import { type View, graceSeconds, mayRun, roleOf, specOf, stopContainer } from './view.ts';

/** What is left of the grace period: one that comes late, a sidecar say, does not start it again. */
function graceLeft(view: View, ending: Ending, record: ContainerRecord): number {
  const whole = graceSeconds(view, ending.graceSeconds ?? record.graceSeconds);
  const spentSeconds = Math.floor(ending.spentMs / 1000);
  return graceSeconds(view, whole - spentSeconds);
}

/** Those to stop now: all but the sidecars at once, then one sidecar after the other, the last of the spec first. */
function toStop(view: View): readonly ContainerRecord[] {
  const spec = specOf(view);
  const running = view.observed.containers.filter(mayRun);
  const others = running.filter((record) => roleOf(spec, record.name) !== 'sidecar');
  if (others.length > 0) return others;
  const order = (spec.initContainers ?? []).map((container) => container.name);
  return running.toSorted((a, b) => order.indexOf(b.name) - order.indexOf(a.name)).slice(0, 1);
}

/** Ends what runs, then the sandboxes. Empty once nothing runs. */
export function planStop(view: View, ending: Ending): readonly Step[] {
  const stops = toStop(view).map((record) =>
    stopContainer(record, {
      grace: graceLeft(view, ending, record),
      message: `Stopping container ${record.name}`,
    }),
  );
  if (stops.length > 0) return stops;
  const { stoppedSandboxes } = view.desired;
  return view.observed.sandboxes
    .filter((sandbox) => sandbox.state === 'ready' || !stoppedSandboxes.has(sandbox.id))
    .map((sandbox) => ({ kind: 'stop-sandbox', sandboxId: sandbox.id }));
}

/** Ends everything but keeps what ended, for its status and logs. */
export function planEnd(view: View, ending: Ending): readonly Step[] {
  const stops = planStop(view, ending);
  if (stops.length > 0) return stops;
  return view.desired.volumes === 'gone' ? [] : [{ kind: 'remove-volumes' }];
}

/** Ends everything and leaves no trace. The last step of all reports it, once nothing is observed any more. */
export function planRemove(view: View, ending: Ending): readonly Step[] {
  const ends = planEnd(view, ending);
  if (ends.length > 0) return ends;
  const { containers, sandboxes } = view.observed;
  if (containers.length + sandboxes.length === 0) return [{ kind: 'report-terminated' }];
  return [
    ...containers.map(
      (record): Step => ({ kind: 'remove-container', containerId: record.id, container: record.name }),
    ),
    ...sandboxes.map((sandbox): Step => ({ kind: 'remove-sandbox', sandboxId: sandbox.id })),
  ];
}
