import type { NodeCondition } from '@selvedge/kube/types';
import type { RuntimeHealth } from '../runtime/index.ts';
import type { HostFacts } from './host.ts';
import { thresholds } from './resources.ts';

/** A condition before it has times. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export interface ReadyInput {
  readonly runtime: RuntimeHealth;
  /** The machine is going down. */
  readonly shuttingDown: boolean;
  readonly nowMs: number;
}

/** A runtime that is only being restarted is not worth a NotReady: its pods would lose their endpoints. */
export const runtimeGraceMs = 10_000;

/** How long until a runtime that does not answer counts as down; undefined if it answers or counts already. */
export function graceLeftMs(runtime: RuntimeHealth, nowMs: number): number | undefined {
  if (runtime.kind !== 'down') return undefined;
  const left = runtime.sinceMs + runtimeGraceMs - nowMs;
  return left > 0 ? Math.ceil(left) : undefined;
}

function pressure(type: string, what: string, insufficient: boolean): Condition {
  const [status, has, is] = insufficient
    ? (['True', 'Insufficient', 'insufficient'] as const)
    : (['False', 'Sufficient', 'sufficient'] as const);
  const word = what[0]?.toUpperCase() + what.slice(1);
  return {
    type,
    status,
    reason: `KubeletHas${has}${word}`,
    message: `kubelet has ${is} ${what} available`,
  };
}

function diskPressure(disk: HostFacts['disk']): Condition {
  const full =
    disk.availableBytes < disk.totalBytes * thresholds.diskAvailableShare ||
    (disk.inodes > 0 && disk.freeInodes < disk.inodes * thresholds.freeInodesShare);
  if (full) {
    return {
      type: 'DiskPressure',
      status: 'True',
      reason: 'KubeletHasDiskPressure',
      message: 'kubelet has disk pressure',
    };
  }
  return {
    type: 'DiskPressure',
    status: 'False',
    reason: 'KubeletHasNoDiskPressure',
    message: 'kubelet has no disk pressure',
  };
}

function runtimeProblems(runtime: RuntimeHealth, nowMs: number): readonly string[] {
  if (runtime.kind === 'unknown') return ['container runtime status check may not have completed yet'];
  if (runtime.kind === 'down') {
    return graceLeftMs(runtime, nowMs) === undefined ? [`container runtime is down: ${runtime.error}`] : [];
  }
  const { runtime: engine, network } = runtime;
  return [
    ...(engine.ready
      ? []
      : [
          `container runtime not ready: RuntimeReady=false reason:${engine.reason} message:${engine.message}`,
        ]),
    ...(network.ready
      ? []
      : [
          `container runtime network not ready: NetworkReady=false reason:${network.reason} message:${network.message}`,
        ]),
  ];
}

function ready(input: ReadyInput): Condition {
  if (input.shuttingDown) {
    return {
      type: 'Ready',
      status: 'False',
      reason: 'NodeShutdown',
      message: 'the machine is shutting down',
    };
  }
  const problems = runtimeProblems(input.runtime, input.nowMs);
  if (problems.length > 0) {
    return { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: problems.join(', ') };
  }
  const message = 'kubelet is posting ready status';
  return { type: 'Ready', status: 'True', reason: 'KubeletReady', message };
}

/** The kubelet's conditions in its order and words; Ready last. */
export function conditions(host: HostFacts, input: ReadyInput): readonly Condition[] {
  const shortOfTasks =
    host.maxTasks > 0 && host.maxTasks - host.tasks < host.maxTasks * thresholds.freeTasksShare;
  const shortOfMemory = host.memoryAvailableBytes < thresholds.memoryAvailableBytes;
  return [
    pressure('MemoryPressure', 'memory', shortOfMemory),
    diskPressure(host.disk),
    pressure('PIDPressure', 'PID', shortOfTasks),
    ready(input),
  ];
}

/** Gives conditions their times: a transition is a change of status against what the API server shows. */
export function stamped(
  next: readonly Condition[],
  shown: readonly NodeCondition[],
  now: string,
): readonly NodeCondition[] {
  return next.map((condition) => {
    const before = shown.find(({ type }) => type === condition.type);
    const kept = before?.status === condition.status ? before.lastTransitionTime : undefined;
    return { ...condition, lastHeartbeatTime: now, lastTransitionTime: kept ?? now };
  });
}
