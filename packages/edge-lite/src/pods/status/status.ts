import { isIPv4 } from 'node:net';

import type { ContainerStatus, PodStatus } from '@selvedge/kube/types';

import { judgeSandbox, mayRun } from '../plan/index.ts';
import { podConditions } from './conditions.ts';
import { containerStatuses } from './containers.ts';
import type { StatusInput } from './input.ts';
import { type PodPhase, podPhase } from './phase.ts';
import { apiTime } from './time.ts';

export function isTerminal(phase: string | undefined): phase is 'Succeeded' | 'Failed' {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** One address of each family, that of the node's first address first. */
function podAddresses(input: StatusInput): readonly string[] {
  const [sandbox] = input.observed.sandboxes;
  const found = input.pod.spec?.hostNetwork === true ? input.hostIPs : (sandbox?.ips ?? []);
  const firstFamily = isIPv4(input.hostIPs[0] ?? '127.0.0.1');
  const primary = found.find((ip) => isIPv4(ip) === firstFamily);
  const secondary = found.find((ip) => isIPv4(ip) !== firstFamily);
  return [primary, secondary].filter((ip) => ip !== undefined);
}

/** What is over keeps the addresses that it had. */
function addressFields(
  input: StatusInput,
  phase: PodPhase,
): Pick<PodStatus, 'podIP' | 'podIPs' | 'hostIP' | 'hostIPs'> {
  const now = podAddresses(input);
  const had = (input.previous?.podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  const over = input.ended || input.pod.metadata.deletionTimestamp !== undefined || isTerminal(phase);
  const pod = now.length === 0 && over ? had : now;
  const [hostIP] = input.hostIPs;
  return {
    ...(hostIP === undefined ? {} : { hostIP, hostIPs: input.hostIPs.map((ip) => ({ ip })) }),
    ...(pod[0] === undefined ? {} : { podIP: pod[0], podIPs: pod.map((ip) => ({ ip })) }),
  };
}

function computedPhase(input: StatusInput, statuses: readonly ContainerStatus[]): PodPhase {
  if (input.verdict !== undefined) return 'Failed';
  const spec = input.pod.spec ?? { containers: [] };
  const regular = new Set(spec.containers.map(({ name }) => name));
  const initialized = input.observed.containers.some((record) => regular.has(record.name) && mayRun(record));
  const phase = podPhase({ spec, statuses, ended: input.ended, initialized });
  return input.ended && !isTerminal(phase) ? 'Failed' : phase;
}

/** The phase never goes back from an end, and no end is told while a container may still run or the sandbox is up. */
function settledPhase(input: StatusInput, statuses: readonly ContainerStatus[]): PodPhase {
  const before = input.previous?.phase;
  if (isTerminal(before)) return before;
  const phase = computedPhase(input, statuses);
  const { containers, sandboxes } = input.observed;
  const up = containers.some(mayRun) || sandboxes.some(({ state }) => state === 'ready');
  if (!isTerminal(phase) || !up) return phase;
  return before === 'Pending' || before === undefined ? 'Pending' : 'Running';
}

function explanation(input: StatusInput, phase: PodPhase): Pick<PodStatus, 'reason' | 'message'> {
  const { previous, verdict } = input;
  if (verdict !== undefined)
    return phase === 'Failed' ? { reason: verdict.reason, message: verdict.message } : {};
  if (previous === undefined || phase !== previous.phase) return {};
  return {
    ...(previous.reason === undefined ? {} : { reason: previous.reason }),
    ...(previous.message === undefined ? {} : { message: previous.message }),
  };
}

/** Refused before anything of it was made: there are no containers to speak of. Source: `rejectPod` of the kubelet. */
function isRefused({ verdict, observed, previous }: StatusInput): boolean {
  const known = previous?.containerStatuses ?? [];
  return verdict !== undefined && observed.containers.length === 0 && known.length === 0;
}

/**
 * A pod's status as the kubelet of Kubernetes 1.36 reports it. Pure: the same input has the same answer, and times move
 * only with what they are about.
 * Source: `generateAPIPodStatus` in `pkg/kubelet/kubelet_pods.go`, `pkg/kubelet/status/generate.go`.
 */
export function podStatus(input: StatusInput): PodStatus {
  const { pod, previous } = input;
  const containers = containerStatuses(input, 'regular');
  const inits = containerStatuses(input, 'init');
  const statuses = [...inits, ...containers];
  const phase = settledPhase(input, statuses);
  const now = apiTime(input.nowMs);
  const sandbox = judgeSandbox({ observed: input.observed, hostNetwork: pod.spec?.hostNetwork === true });
  const sandboxReady = sandbox.kind === 'usable';
  const refused = isRefused(input);
  const disruption = isTerminal(phase) ? input.verdict?.disruption : undefined;
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    ...explanation(input, phase),
    conditions: podConditions({ pod, phase, statuses, sandboxReady }, previous, { now, disruption }),
    ...addressFields(input, phase),
    startTime: previous?.startTime ?? now,
    qosClass: input.qosClass,
    ...(refused ? {} : { containerStatuses: containers }),
    ...(refused || inits.length === 0 ? {} : { initContainerStatuses: inits }),
  };
}
