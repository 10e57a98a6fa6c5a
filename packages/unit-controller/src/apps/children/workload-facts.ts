import { type JsonObject, type KubeObject, isObject } from '@selvedge/kube';
import type { DaemonSet, Deployment, StatefulSet } from '@selvedge/kube/types';

/** What a Deployment, a StatefulSet or a DaemonSet says of its pods. */
export interface WorkloadFacts {
  /** Its controller has seen it as it is now. */
  readonly isObserved: boolean;
  readonly wanted: number;
  readonly pods: number;
  readonly updated: number;
  readonly available: number;
}

const isObservedIn = (
  { metadata }: KubeObject,
  status: { readonly observedGeneration?: number | undefined } | undefined,
): boolean => (status?.observedGeneration ?? 0) >= (metadata.generation ?? 1);

function scaledFacts(workload: Deployment | StatefulSet): WorkloadFacts {
  const { spec, status } = workload;
  return {
    isObserved: isObservedIn(workload, status),
    wanted: spec?.replicas ?? 1,
    pods: status?.replicas ?? 0,
    updated: status?.updatedReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
  };
}

function daemonSetFacts(workload: DaemonSet): WorkloadFacts {
  const { status } = workload;
  return {
    isObserved: isObservedIn(workload, status),
    wanted: status?.desiredNumberScheduled ?? 0,
    pods: status?.currentNumberScheduled ?? 0,
    updated: status?.updatedNumberScheduled ?? 0,
    available: status?.numberAvailable ?? 0,
  };
}

/** Undefined of anything else: only workloads have a template of pods. Pure. */
export function workloadFactsOf(object: KubeObject & JsonObject): WorkloadFacts | undefined {
  const { spec, status } = object;
  if (!isObject(spec) || !isObject(spec['template'])) return undefined;
  const isOfNodes = isObject(status) && Object.hasOwn(status, 'desiredNumberScheduled');
  const isDaemonSet = object.kind === 'DaemonSet' || isOfNodes;
  return isDaemonSet ? daemonSetFacts(object) : scaledFacts(object);
}
