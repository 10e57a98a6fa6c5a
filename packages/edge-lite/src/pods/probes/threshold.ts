import type { Probe } from '@selvedge/kube/types';

/** Equal outcomes in a row. */
export interface Run {
  readonly succeeded: boolean;
  readonly length: number;
}

export const noRun: Run = { succeeded: false, length: 0 };

export function extend(run: Run, succeeded: boolean): Run {
  return run.succeeded === succeeded ? { succeeded, length: run.length + 1 } : { succeeded, length: 1 };
}

/** Whether a run is long enough to count. Source: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/ */
export function counts({ succeeded, length }: Run, probe: Probe): boolean {
  const threshold = succeeded ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  return length >= threshold;
}
