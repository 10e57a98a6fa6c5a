import type { Container, PodSpec } from '@selvedge/kube/types';

import { type ContainerRecord, type PodObserved, type SandboxRecord, latest } from '../../runtime/index.ts';
import { crashedUntilMs } from './backoff.ts';
import type { PodDesired } from './desired.ts';
import { isSidecar } from './restart.ts';
import type { ContainerRole, StartContainer, Step, StopContainer, WaitForBackoff } from './step.ts';

/** A plan in the making: both sides and the time. */
export interface View {
  readonly desired: PodDesired;
  readonly observed: PodObserved;
  readonly nowMs: number;
}

const noSpec: PodSpec = { containers: [] };

export function specOf({ desired }: Pick<View, 'desired'>): PodSpec {
  return desired.pod.spec ?? noSpec;
}

export function roleOf(spec: PodSpec, name: string): ContainerRole {
  const init = spec.initContainers?.find((container) => container.name === name);
  if (init === undefined) return 'regular';
  return isSidecar(init) ? 'sidecar' : 'init';
}

/** A container that may be running: what the runtime does not know counts as running. */
export function mayRun(record: ContainerRecord): boolean {
  return record.state.kind === 'running' || record.state.kind === 'unknown';
}

/** The shortest time that the kubelet gives a container to end by itself. */
const minGraceSeconds = 2;
const defaultGraceSeconds = 30;
/** The runtime's clock is ours, but for what is lost in rounding. */
const clockSlackMs = 1000;

/** How long a container gets to end by itself, in seconds: `wanted`, else as the pod says. */
export function graceSeconds(view: View, wanted: number | undefined): number {
  const own = wanted ?? specOf(view).terminationGracePeriodSeconds ?? defaultGraceSeconds;
  return Math.max(minGraceSeconds, own);
}

export function stopContainer(
  record: ContainerRecord,
  how: { readonly grace: number; readonly message: string; readonly restart?: boolean },
): StopContainer {
  return {
    kind: 'stop-container',
    container: record.name,
    containerId: record.id,
    graceSeconds: how.grace,
    message: how.message,
    restart: how.restart ?? false,
  };
}

/** How containerd ends a container that was gone when it looked again. Source: containerd, `unknownExitReason`. */
const lostReason = 'Unknown';

/** When the last instance of a container ended by itself. One that went with the node's power has not crashed. */
function lastEndMs({ containers }: PodObserved, name: string): number | undefined {
  const ended = containers.find((record) => record.name === name && record.state.kind === 'exited')?.state;
  return ended?.kind === 'exited' && ended.reason !== lostReason ? ended.finishedAtMs : undefined;
}

/** How the next instance of a container is started: now, or after its back-off, or once a left-over is out of the way. */
export function start(view: View, container: Container, sandbox: SandboxRecord): Step {
  const { desired, observed, nowMs } = view;
  const last = latest(observed, container.name);
  if (last?.state.kind === 'created') {
    return { kind: 'remove-container', containerId: last.id, container: container.name };
  }
  const endedAtMs = lastEndMs(observed, container.name);
  const wait = endedAtMs === undefined ? undefined : backoff(view, container.name, endedAtMs);
  if (wait !== undefined && nowMs < wait.untilMs) return wait;
  const restartCount =
    last === undefined ? (desired.nextRestart.get(container.name) ?? 0) : last.restartCount + 1;
  return {
    kind: 'start-container',
    container: container.name,
    role: roleOf(specOf(view), container.name),
    sandboxId: sandbox.id,
    restartCount,
    endedAtMs,
  } satisfies StartContainer;
}

function backoff({ desired, nowMs }: View, name: string, endedAtMs: number): WaitForBackoff | undefined {
  const entry = desired.crashes.get(name);
  const hash = desired.hashes.get(name) ?? '';
  // An end that is to come is one before the clock was set back; nobody knows how long ago that was.
  if (endedAtMs > nowMs + clockSlackMs) return undefined;
  const untilMs = crashedUntilMs(entry, { atMs: endedAtMs, hash });
  if (entry === undefined || untilMs === undefined) return undefined;
  return { kind: 'wait-for-backoff', container: name, untilMs, delayMs: entry.delayMs };
}
