import type { ContainerStatus, PodCondition, PodStatus } from '@selvedge/kube/types';
import { expect } from 'vitest';
import { containerOf, nowMs, observedOf, podOf, running, sandboxOf } from '../plan/testing.ts';
import type { StatusInput } from './input.ts';
import { podStatus } from './status.ts';

export function statusOf(more: Partial<StatusInput> = {}): PodStatus {
  return podStatus({
    pod: podOf(),
    observed: observedOf([]),
    previous: undefined,
    waiting: new Map(),
    verdicts: new Map(),
    ended: false,
    verdict: undefined,
    hostIPs: ['192.0.2.10'],
    qosClass: 'BestEffort',
    runtimeName: 'containerd',
    nowMs,
    ...more,
  });
}

/** Reported a minute ago. */
export function earlier(more: Partial<StatusInput>): PodStatus {
  return statusOf({ nowMs: nowMs - 60_000, ...more });
}

export const at = '2026-01-01T12:00:00Z';
export const alone = observedOf([sandboxOf()]);
export const stopped = sandboxOf({ state: 'not-ready', ips: [] });
export const runs = observedOf([sandboxOf()], [containerOf('main', running)]);
export const conditionOf = (status: PodStatus, type: string): PodCondition | undefined =>
  status.conditions?.find((one) => one.type === type);
export const first = (status: PodStatus): ContainerStatus =>
  status.containerStatuses?.[0] ?? expect.fail('no container status');
