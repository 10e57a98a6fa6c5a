import type { ActiveStep } from '../apply/index.ts';
import type { PodState } from './state.ts';

/** The delay after the first failed round, doubled with each further one, in milliseconds. */
const hold = { initialMs: 500, maxMs: 10_000 } as const;

function keyOf(step: ActiveStep): string {
  switch (step.kind) {
    case 'start-container':
      return `${step.kind} ${step.container}`;
    case 'stop-container':
    case 'remove-container':
      return `${step.kind} ${step.containerId}`;
    case 'stop-sandbox':
    case 'remove-sandbox':
      return `${step.kind} ${step.sandboxId}`;
    case 'prepare-volumes':
    case 'create-sandbox':
    case 'remove-volumes':
      return step.kind;
  }
}

/** How long to leave alone what failed now, after so many failures in a row. */
export function holdMs(failures: number): number {
  return Math.min(hold.maxMs, hold.initialMs * 2 ** Math.min(failures, 10));
}

export function holdStep(state: PodState, step: ActiveStep, untilMs: number): void {
  state.holds.set(keyOf(step), untilMs);
}

export function isHeld(state: PodState, step: ActiveStep, nowMs: number): boolean {
  return (state.holds.get(keyOf(step)) ?? 0) > nowMs;
}

/** Something that the pod refers to changed: what may have failed for want of it is tried again at once. */
export function releaseHolds(state: PodState): boolean {
  const pulling = [...state.waiting].filter(([, { reason }]) => reason === 'ImagePullBackOff');
  const kept = new Set(pulling.map(([container]) => `start-container ${container}`));
  const waiting = [...state.holds.keys()].filter((key) => /^(?:prepare-volumes|start-container)/.test(key));
  const released = waiting.filter((key) => !kept.has(key));
  for (const key of released) state.holds.delete(key);
  return released.length > 0;
}

/** The time, by the monotonic clock, at which the first of these steps may be tried again. */
export function heldUntilMs(state: PodState, steps: readonly ActiveStep[]): number | undefined {
  const times = steps.flatMap((step) => state.holds.get(keyOf(step)) ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Whether what comes after a step in its plan makes no sense without it. */
export function blocks(step: ActiveStep): boolean {
  if (step.kind === 'start-container') return step.role === 'init';
  return step.kind !== 'remove-container';
}
