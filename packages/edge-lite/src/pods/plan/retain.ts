import type { ContainerRecord, SandboxRecord } from '../../runtime/index.ts';
import type { Step } from './step.ts';
import { type View, mayRun } from './view.ts';

/** Ended instances that are kept for each container, as the kubelet's default: the last one, for its logs and state. */
const keptPerContainer = 1;

function superfluous(containers: readonly ContainerRecord[]): readonly ContainerRecord[] {
  const seen = new Map<string, number>();
  return containers.filter((record) => {
    if (mayRun(record)) return false;
    const count = (seen.get(record.name) ?? 0) + 1;
    seen.set(record.name, count);
    return count > keptPerContainer;
  });
}

/** Removes old instances, and old sandboxes that hold none any more. */
export function planRetention(view: View, current: SandboxRecord): readonly Step[] {
  const { containers, sandboxes } = view.observed;
  const gone = superfluous(containers);
  const holds = (sandbox: SandboxRecord): boolean =>
    containers.some((record) => record.sandboxId === sandbox.id && !gone.includes(record));
  return [
    ...gone.map(
      (record): Step => ({ kind: 'remove-container', containerId: record.id, container: record.name }),
    ),
    ...sandboxes
      .filter((sandbox) => sandbox.id !== current.id && !holds(sandbox))
      .map((sandbox): Step => ({ kind: 'remove-sandbox', sandboxId: sandbox.id })),
  ];
}
