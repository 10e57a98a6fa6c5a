import type { Container, Pod, PodSpec } from '@selvedge/kube/types';

import type { ContainerRecord, ContainerState, PodObserved, SandboxRecord } from '../../runtime/index.ts';
import type { PodDesired } from './desired.ts';
import type { Step } from './step.ts';

/** Builders of small situations for tests. */

export const nowMs = Date.UTC(2026, 0, 1, 12);

export function podOf(spec: Partial<PodSpec> = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    metadata: { name: 'web', namespace: 'shop', uid: 'uid-web', generation: 1, ...metadata },
    spec: { containers: [{ name: 'main', image: 'busybox' }], restartPolicy: 'Always', ...spec },
  };
}

export function named(...names: readonly string[]): readonly Container[] {
  return names.map((name) => ({ name, image: 'busybox' }));
}

export function sandboxOf(more: Partial<SandboxRecord> = {}): SandboxRecord {
  return {
    id: 'sandbox-0',
    attempt: 0,
    createdAtMs: nowMs - 60_000,
    state: 'ready',
    hostNetwork: false,
    ips: ['10.0.0.7'],
    ...more,
  };
}

export const running: ContainerState = { kind: 'running', startedAtMs: nowMs - 30_000 };

export function exited(exitCode: number, agoMs = 1000): Extract<ContainerState, { kind: 'exited' }> {
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  return {
    kind: 'exited',
    startedAtMs: nowMs - agoMs - 1000,
    finishedAtMs: nowMs - agoMs,
    exitCode,
    reason,
    message: '',
  };
}

export function containerOf(
  name: string,
  state: ContainerState,
  more: Partial<ContainerRecord> = {},
): ContainerRecord {
  return {
    id: `${name}-0`,
    sandboxId: 'sandbox-0',
    name,
    createdAtMs: nowMs - 50_000,
    state,
    image: 'docker.io/library/busybox:latest',
    imageRef: 'sha256:1',
    imageId: 'sha256:1',
    hash: 'same',
    restartCount: 0,
    logPath: `/var/log/pods/shop_web_uid-web/${name}/0.log`,
    user: undefined,
    graceSeconds: 30,
    ...more,
  };
}

export function observedOf(
  sandboxes: readonly SandboxRecord[],
  containers: readonly ContainerRecord[] = [],
): PodObserved {
  return { uid: 'uid-web', namespace: 'shop', name: 'web', sandboxes, containers };
}

export function desiredOf(pod: Pod, more: Partial<PodDesired> = {}): PodDesired {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return {
    pod,
    goal: { kind: 'run' },
    volumes: 'ready',
    networkReady: true,
    verdicts: new Map(),
    crashes: new Map(),
    nextRestart: new Map(),
    hashes: new Map(all.map(({ name }) => [name, 'same'])),
    owedRestarts: new Set(),
    stoppedSandboxes: new Set(),
    ...more,
  };
}

/** A step in few words: its verb, its object, and the number that matters. */
export function brief(step: Step): string {
  if (step.kind === 'create-sandbox') return `create sandbox ${step.attempt}`;
  if (step.kind === 'start-container') return `start ${step.container} #${step.restartCount}`;
  if (step.kind === 'stop-container') return `stop ${step.containerId} ${step.graceSeconds}s`;
  if (step.kind === 'wait-for-backoff') return `wait ${step.container} ${(step.untilMs - nowMs) / 1000}s`;
  if (step.kind === 'remove-container') return `remove ${step.containerId}`;
  if ('sandboxId' in step) return `${step.kind.replace('-sandbox', '')} ${step.sandboxId}`;
  return step.kind;
}
