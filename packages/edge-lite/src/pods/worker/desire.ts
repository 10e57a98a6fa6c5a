import type { Pod, PodStatus } from '@selvedge/kube/types';

import type { Goal, PodDesired, ProbeVerdict } from '../plan/index.ts';
import { allContainers, containerHash } from '../spec/index.ts';
import type { PodState } from './state.ts';

/** The next restart count of containers that ran before as far as was reported. */
function nextRestarts(status: PodStatus | undefined): ReadonlyMap<string, number> {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return new Map(
    statuses.map((one) => {
      const ran = one.containerID !== undefined && one.containerID !== '';
      return [one.name, ran ? one.restartCount + 1 : one.restartCount];
    }),
  );
}

export function desiredOf(
  state: PodState,
  pod: Pod,
  now: {
    readonly goal: Goal;
    readonly verdicts: ReadonlyMap<string, ProbeVerdict>;
    readonly networkReady: boolean;
  },
): PodDesired {
  return {
    pod,
    goal: now.goal,
    volumes: state.volumes,
    networkReady: now.networkReady,
    verdicts: now.verdicts,
    crashes: new Map(Object.entries(state.saved.crashes ?? {})),
    nextRestart: nextRestarts(state.saved.status ?? pod.status),
    hashes: new Map(allContainers(pod).map((container) => [container.name, containerHash(container)])),
    owedRestarts: new Set(state.saved.owedRestarts),
    stoppedSandboxes: state.stoppedSandboxes,
  };
}
