import type { Container, ContainerStateTerminated, ContainerStatus, PodSpec } from '@selvedge/kube/types';

import { isSidecar, restartsAfter } from '../plan/index.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

export interface PhaseInput {
  readonly spec: PodSpec;
  /** Of all containers, init containers too. */
  readonly statuses: readonly ContainerStatus[];
  /** Nothing runs, and nothing will, whatever the restart policy says. */
  readonly ended: boolean;
  /** A regular container was started in the current sandbox. */
  readonly initialized: boolean;
}

type Standing = 'unknown' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'restarting';

/** Its end, now or the last time, of a container that does not run. */
function endOf(status: ContainerStatus): ContainerStateTerminated | undefined {
  return status.state?.terminated ?? (status.state?.waiting && status.lastState?.terminated);
}

/** How a container stands: one that ended, now or last time, and is to run again is restarting. */
function standing(container: Container, spec: PodSpec, status: ContainerStatus | undefined): Standing {
  if (status?.state === undefined) return 'unknown';
  if (status.state.running !== undefined) return 'running';
  const end = endOf(status);
  if (end === undefined) return status.state.waiting === undefined ? 'unknown' : 'waiting';
  if (restartsAfter(container, spec, end.exitCode)) return 'restarting';
  return end.exitCode === 0 ? 'succeeded' : 'failed';
}

/** A regular init container that succeeded needs no restart, whatever the policy says. */
function initStanding(container: Container, spec: PodSpec, status: ContainerStatus | undefined): Standing {
  const own = standing(container, spec, status);
  return own === 'restarting' && status?.state?.terminated?.exitCode === 0 ? 'succeeded' : own;
}

interface Tally {
  readonly sidecars: readonly { readonly standing: Standing; readonly started: boolean }[];
  readonly inits: readonly Standing[];
  readonly regulars: readonly Standing[];
  readonly exits: readonly (number | undefined)[];
}

function tally({ spec, statuses }: PhaseInput): Tally {
  const find = (container: Container): ContainerStatus | undefined =>
    statuses.find(({ name }) => name === container.name);
  const inits = spec.initContainers ?? [];
  return {
    sidecars: inits.filter(isSidecar).map((container) => ({
      standing: standing(container, { ...spec, restartPolicy: 'Always' }, find(container)),
      started: find(container)?.started === true,
    })),
    inits: inits
      .filter((container) => !isSidecar(container))
      .map((one) => initStanding(one, spec, find(one))),
    regulars: spec.containers.map((container) => standing(container, spec, find(container))),
    exits: spec.containers.map((container) => {
      const status = find(container);
      return status === undefined ? undefined : endOf(status)?.exitCode;
    }),
  };
}

function isInitializing({ inits, sidecars }: Tally, initialized: boolean): boolean {
  const pending: readonly Standing[] = ['unknown', 'waiting', 'running'];
  if (inits.some((one) => pending.includes(one))) return true;
  const starting = sidecars.some(
    (one) =>
      one.standing === 'waiting' ||
      one.standing === 'unknown' ||
      (one.standing === 'running' && !one.started),
  );
  return starting && !initialized;
}

/**
 * The pod's phase. Source: `getPhase` in `pkg/kubelet/kubelet_pods.go` of Kubernetes 1.36;
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
 */
export function podPhase(input: PhaseInput): PodPhase {
  const counted = tally(input);
  if (counted.inits.includes('failed')) return 'Failed';
  const all = [...counted.regulars, ...counted.sidecars.map((one) => one.standing)];
  if (isInitializing(counted, input.initialized) || all.includes('waiting')) return 'Pending';
  if (all.includes('unknown')) return 'Pending';
  if (all.includes('running')) return 'Running';
  if (counted.regulars.includes('restarting') && !input.ended) return 'Running';
  return counted.exits.every((exit) => exit === 0) ? 'Succeeded' : 'Failed';
}
