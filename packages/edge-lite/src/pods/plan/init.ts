import type { Container } from '@selvedge/kube/types';

import type { ContainerRecord, SandboxRecord } from '../../runtime/index.ts';
import { isSidecar, restartsAfter, restartsAfterKill } from './restart.ts';
import { hasInitialized } from './sandbox.ts';
import type { Step } from './step.ts';
import { type View, graceSeconds, specOf, start, stopContainer } from './view.ts';

/** How far the init containers are. */
export interface InitProgress {
  /** The regular containers may run. */
  readonly initialized: boolean;
  /** An init container failed for good: the pod ends. */
  readonly failed: boolean;
  readonly steps: readonly Step[];
}

/** What one init container means for those after it. */
type Verdict =
  /** It is done, or runs as a sidecar and has started: the next may start. */
  | { readonly kind: 'passed'; readonly steps: readonly Step[] }
  | { readonly kind: 'pending'; readonly steps: readonly Step[] }
  | { readonly kind: 'failed' };

interface Place {
  readonly view: View;
  readonly sandbox: SandboxRecord;
}

const nothing: readonly Step[] = [];

/** The last instance in this sandbox: what ran in an earlier one has to run again. */
function instance({ view, sandbox }: Place, name: string): ContainerRecord | undefined {
  return view.observed.containers.find((record) => record.name === name && record.sandboxId === sandbox.id);
}

function kill({ view }: Place, record: ContainerRecord, message: string): Verdict {
  return {
    kind: 'pending',
    steps: [stopContainer(record, { grace: graceSeconds(view, undefined), message })],
  };
}

/** What is wrong with a sidecar that runs and had started, so that it must be restarted. */
function sidecarFault({ view }: Place, container: Container, record: ContainerRecord): string | undefined {
  const hash = view.desired.hashes.get(container.name);
  if (hash !== undefined && hash !== record.hash)
    return `Init container ${container.name} definition changed`;
  if (container.livenessProbe === undefined) return undefined;
  const failed = view.desired.verdicts.get(record.id)?.liveness === false;
  return failed ? `Init container ${container.name} failed liveness probe` : undefined;
}

function judgeRunning(place: Place, container: Container, record: ContainerRecord): Verdict {
  if (!isSidecar(container)) return { kind: 'pending', steps: nothing };
  const started = place.view.desired.verdicts.get(record.id)?.startup;
  if (container.startupProbe !== undefined && started !== true) {
    if (started === undefined) return { kind: 'pending', steps: nothing };
    return kill(place, record, `Init container ${container.name} failed startup probe`);
  }
  const fault = sidecarFault(place, container, record);
  if (fault === undefined) return { kind: 'passed', steps: nothing };
  const grace = graceSeconds(place.view, container.livenessProbe?.terminationGracePeriodSeconds);
  return { kind: 'passed', steps: [stopContainer(record, { grace, message: fault })] };
}

function judge(place: Place, container: Container, record: ContainerRecord): Verdict {
  const again = (): Verdict => ({ kind: 'pending', steps: [start(place.view, container, place.sandbox)] });
  const spec = specOf(place.view);
  switch (record.state.kind) {
    case 'running':
      return judgeRunning(place, container, record);
    case 'exited':
      if (isSidecar(container)) return again();
      if (record.state.exitCode === 0) return { kind: 'passed', steps: nothing };
      return restartsAfter(container, spec, record.state.exitCode) ? again() : { kind: 'failed' };
    case 'unknown':
      if (!restartsAfterKill(container, spec)) return { kind: 'failed' };
      return kill(place, record, 'Init container is in "unknown" state, try killing it before restart');
    case 'created':
      return again();
  }
}

/** Once initialized, only sidecars are kept going. */
function keepSidecars(place: Place, containers: readonly Container[]): readonly Step[] {
  return containers.filter(isSidecar).flatMap((container) => {
    const record = instance(place, container.name);
    if (record === undefined) return [start(place.view, container, place.sandbox)];
    const verdict = judge(place, container, record);
    return verdict.kind === 'failed' ? [] : verdict.steps;
  });
}

/**
 * The init containers run one after the other; a sidecar only has to start. The last one with an instance says how far
 * they are, for the ones before it may have been cleaned away.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/
 */
export function planInit(view: View, sandbox: SandboxRecord): InitProgress {
  const place = { view, sandbox };
  const containers = specOf(view).initContainers ?? [];
  if (hasInitialized(view, sandbox)) {
    return { initialized: true, failed: false, steps: keepSidecars(place, containers) };
  }
  const reached = containers.findLastIndex((container) => instance(place, container.name) !== undefined);
  const before = keepSidecars(place, containers.slice(0, Math.max(0, reached)));
  const verdict = judgeReached(place, containers, reached);
  if (verdict.kind === 'failed') return { initialized: false, failed: true, steps: nothing };
  const next = verdict.kind === 'passed' ? containers[reached + 1] : undefined;
  const following = next === undefined ? nothing : [start(view, next, sandbox)];
  const initialized = verdict.kind === 'passed' && next === undefined;
  return { initialized, failed: false, steps: [...before, ...verdict.steps, ...following] };
}

function judgeReached(place: Place, containers: readonly Container[], reached: number): Verdict {
  const container = containers[reached];
  if (container === undefined) return { kind: 'passed', steps: nothing };
  const record = instance(place, container.name);
  return record === undefined ? { kind: 'passed', steps: nothing } : judge(place, container, record);
}
