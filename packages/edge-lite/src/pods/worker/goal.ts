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
  readonly nowMs: number;
}

/** A pod gets no more than its own grace period, and no more than the machine has. */
function haltOf(pod: Pod, halt: NonNullable<GoalInput['halt']>): Goal {
  const own = pod.spec?.terminationGracePeriodSeconds ?? halt.graceSeconds;
  return { kind: 'halt', ending: { ...halt, graceSeconds: Math.min(own, halt.graceSeconds) } };
}

function isOver(pod: Pod, saved: SavedPod): boolean {
  return saved.verdict !== undefined || isTerminal(saved.status?.phase) || isTerminal(pod.status?.phase);
}

/** Where a pod shall get to. */
export function goalOf({ pod, saved, halt, nowMs }: GoalInput): Goal {
  const sinceMs = saved.endingSinceMs ?? nowMs;
  if (pod === undefined) return { kind: 'remove', ending: { sinceMs, graceSeconds: undefined } };
  if (pod.metadata.deletionTimestamp !== undefined) {
    const graceSeconds = pod.metadata.deletionGracePeriodSeconds;
    return { kind: 'remove', ending: { sinceMs, graceSeconds } };
  }
  if (isOver(pod, saved)) return { kind: 'stop', ending: { sinceMs, graceSeconds: undefined } };
  return halt === undefined ? { kind: 'run' } : haltOf(pod, halt);
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
