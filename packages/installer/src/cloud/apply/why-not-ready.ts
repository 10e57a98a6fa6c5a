import type { ContainerStatus, Deployment, Pod, PodStatus } from '@selvedge/kube/types';

const isTrue = ({ conditions = [] }: PodStatus, type: string, status = 'True'): boolean =>
  conditions.some((one) => one.type === type && one.status === status);

const joined = (...words: readonly (string | undefined)[]): string =>
  words.filter((one) => one !== undefined && one !== '').join(': ');

/** How a container ended that does not run, or that ran before. */
function endOf({ state, lastState }: ContainerStatus): string | undefined {
  const ended = state?.terminated ?? lastState?.terminated;
  return ended && joined(`ended with ${ended.exitCode} (${ended.reason ?? 'no reason'})`, ended.message);
}

/** What a container waits for, or how it ended last; empty: it is ready. Source: v1 ContainerStatus. */
function ofContainer(container: ContainerStatus): string {
  const { waiting } = container.state ?? {};
  const told = joined(waiting?.reason, waiting?.message, endOf(container));
  return told === '' && !container.ready ? 'it runs and is not ready' : told;
}

function ofPod({ metadata, status = {} }: Pod): string | undefined {
  if (isTrue(status, 'Ready')) return undefined;
  const { phase, message, conditions = [], containerStatuses = [] } = status;
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
  const why = isTrue(status, 'PodScheduled', 'False')
    ? joined(scheduled?.reason, scheduled?.message)
    : containerStatuses.map(ofContainer).find((one) => one !== '');
  return `pod ${joined(metadata.name, why ?? joined(phase, message))}`;
}

/**
 * What the cluster says of a Deployment that is not ready, for people: that its pods cannot be made, or what is with the first
 * of them that is not ready. undefined: nothing. Pure.
 */
export function whyNotReady(deployment: Deployment | undefined, pods: readonly Pod[]): string | undefined {
  if (deployment === undefined) return 'there is no such Deployment';
  const failure = (deployment.status?.conditions ?? []).find(
    ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
  );
  if (failure !== undefined) return joined(failure.reason, failure.message);
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return staying.map(ofPod).find((one) => one !== undefined);
}
