import type { Container } from '@selvedge/kube/types';

import { type PodObserved, type SandboxRecord, latest } from '../../runtime/index.ts';
import { restartsAfter, restartsAfterKill } from './restart.ts';
import { type View, specOf } from './view.ts';

/** Whether the pod's last sandbox still serves, or which one must follow it. */
export type SandboxVerdict =
  | { readonly kind: 'usable'; readonly sandbox: SandboxRecord }
  | { readonly kind: 'needed'; readonly attempt: number };

export function judgeSandbox(of: {
  readonly observed: PodObserved;
  readonly hostNetwork: boolean;
}): SandboxVerdict {
  const { sandboxes } = of.observed;
  const [newest] = sandboxes;
  if (newest === undefined) return { kind: 'needed', attempt: 0 };
  const connected = of.hostNetwork || newest.ips.length > 0;
  const usable = newest.state === 'ready' && newest.hostNetwork === of.hostNetwork && connected;
  const attempt = 1 + Math.max(...sandboxes.map((sandbox) => sandbox.attempt));
  return usable ? { kind: 'usable', sandbox: newest } : { kind: 'needed', attempt };
}

/**
 * Whether a pod that lost its sandbox has nothing left to run, so that it gets no other one. A pod that ran before and
 * must not restart is not started over.
 */
export function isDone(view: View): boolean {
  const spec = specOf(view);
  const over = (container: Container): boolean => {
    const last = latest(view.observed, container.name);
    return last?.state.kind === 'exited' && !restartsAfter(container, spec, last.state.exitCode);
  };
  const ran = (container: Container): boolean => {
    const state = latest(view.observed, container.name)?.state.kind;
    return state !== undefined && state !== 'created';
  };
  const never = spec.containers.every((container) => !restartsAfterKill(container, spec));
  const inits = spec.initContainers ?? [];
  if (inits.some((container) => over(container) && !succeeded(view, container))) return true;
  return never ? spec.containers.some(ran) : spec.containers.every(over);
}

function succeeded(view: View, container: Container): boolean {
  const state = latest(view.observed, container.name)?.state;
  return state?.kind === 'exited' && state.exitCode === 0;
}

/** True once a regular container was made in this sandbox: then initialization is over, whatever is left of it. */
export function hasInitialized(view: View, sandbox: SandboxRecord): boolean {
  const regular = new Set(specOf(view).containers.map((container) => container.name));
  return view.observed.containers.some(
    (record) =>
      regular.has(record.name) && record.sandboxId === sandbox.id && record.state.kind !== 'unknown',
  );
}
