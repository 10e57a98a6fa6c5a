import type { Pod } from '@selvedge/kube/types';

import type { Goal } from '../plan/index.ts';
import { type Verdict, isTerminal } from '../status/index.ts';
import type { SavedPod } from './saved.ts';

export interface GoalInput {
  /** `undefined`: it is gone from the API. */
  readonly pod: Pod | undefined;
  readonly saved: SavedPod;
  /** The machine shuts down. */
  readonly halt: { readonly sinceMs: number; readonly graceSeconds: number } | undefined;
  /** When the pod began to end, if it did; like `nowMs` by the monotonic clock. */
  readonly endingSinceMs: number | undefined;
  readonly nowMs: number;
}

/** A pod gets no more than its own grace period, and no more than the machine has. */
function haltOf(pod: Pod, halt: NonNullable<GoalInput['halt']>, nowMs: number): Goal {
  const own = pod.spec?.terminationGracePeriodSeconds ?? halt.graceSeconds;
  const graceSeconds = Math.min(own, halt.graceSeconds);
  return { kind: 'halt', ending: { spentMs: nowMs - halt.sinceMs, graceSeconds } };
}

function isOver(pod: Pod, saved: SavedPod): boolean {
  return saved.verdict !== undefined || isTerminal(saved.status?.phase) || isTerminal(pod.status?.phase);
}

/** Where a pod shall get to. */
export function goalOf({ pod, saved, halt, endingSinceMs, nowMs }: GoalInput): Goal {
  const spentMs = nowMs - (endingSinceMs ?? nowMs);
  if (pod === undefined) return { kind: 'remove', ending: { spentMs, graceSeconds: undefined } };
  if (pod.metadata.deletionTimestamp !== undefined) {
    const graceSeconds = pod.metadata.deletionGracePeriodSeconds;
    return { kind: 'remove', ending: { spentMs, graceSeconds } };
  }
  if (isOver(pod, saved)) return { kind: 'stop', ending: { spentMs, graceSeconds: undefined } };
  return halt === undefined ? { kind: 'run' } : haltOf(pod, halt, nowMs);
}

/** When the pod's time is up, in milliseconds since the epoch. */
export function deadlineMs(pod: Pod, saved: SavedPod): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds;
  const start = saved.status?.startTime ?? pod.status?.startTime;
  return seconds === undefined || start === undefined ? undefined : Date.parse(start) + seconds * 1000;
}

/** Source: `pkg/kubelet/active_deadline.go`. */
export const deadlineVerdict: Verdict = {
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
};
