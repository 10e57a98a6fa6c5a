import type { ContainerStatus, PodStatus } from '@selvedge/kube/types';

import type { PodObserved } from '../../runtime/index.ts';
import type { ProbeVerdict } from '../plan/index.ts';

/**
 * What probes say of the running containers. Before a probe has an answer in this process, what was reported of the same
 * container stands: a restart of this process takes no pod out of service.
 */
export function verdictsOf(
  observed: PodObserved,
  results: (containerId: string) => ProbeVerdict,
  reported: PodStatus | undefined,
): ReadonlyMap<string, ProbeVerdict> {
  const statuses = [...(reported?.initContainerStatuses ?? []), ...(reported?.containerStatuses ?? [])];
  const known = new Map<string, ContainerStatus>(
    statuses.map((status) => [status.containerID?.split('://')[1] ?? '', status]),
  );
  const running = observed.containers.filter(({ state }) => state.kind === 'running');
  return new Map(
    running.map(({ id }) => {
      const now = results(id);
      const before = known.get(id);
      const startup = now.startup ?? (before?.started === true ? true : undefined);
      const readiness = now.readiness ?? (before?.ready === true ? true : undefined);
      return [id, { ...now, ...given({ startup, readiness }) }];
    }),
  );
}

function given(values: { startup: boolean | undefined; readiness: boolean | undefined }): ProbeVerdict {
  return {
    ...(values.startup === undefined ? {} : { startup: values.startup }),
    ...(values.readiness === undefined ? {} : { readiness: values.readiness }),
  };
}
