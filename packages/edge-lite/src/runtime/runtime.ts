import type { GrpcTransport } from '@selvedge/containerd-grpc-types';
import {
  type Clock,
  type Logger,
  type Random,
  type Service,
  createListeners,
  createTaskGroup,
  limitRepeats,
} from '@selvedge/kit';

import { type CallTimeouts, type RuntimeCalls, createCalls } from './calls.ts';
import { createCri } from './cri.ts';
import { type DiskCalls, createDiskCalls } from './disk-calls.ts';
import { type RuntimeHealth, createHealthMonitor } from './health.ts';
import { createObserver } from './observe.ts';
import { type PodObserved, nothingOf } from './records.ts';
import type { RelistPace } from './relist.ts';
import { type StreamingCalls, createStreamingCalls } from './streaming-calls.ts';
import type { ReadTail } from './termination.ts';
import { createRuntimeWatch } from './watch.ts';

export interface RuntimeOptions {
  /** Default: two minutes, four for a sandbox, and an hour for a pull. */
  readonly timeouts?: CallTimeouts;
  /** Default: as the kubelet's generic PLEG, slower when all is quiet. */
  readonly pace?: RelistPace;
  /** How often the runtime is asked for its condition, in milliseconds. Default 5 s, 500 ms while it does not answer. */
  readonly health?: { readonly intervalMs: number; readonly retryMs: number };
  /** Sandboxes, and containers, whose record is remembered. Default 2,000 each. */
  readonly maxRecords?: number;
}

export interface RuntimeDeps {
  readonly transport: GrpcTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly readTail: ReadTail;
}

/** The container runtime: what it holds, whether it is well, and the calls that change it. */
export interface Runtime extends Service, RuntimeCalls, StreamingCalls, DiskCalls {
  readonly health: RuntimeHealth;
  /** Calls back after each change of `health`. */
  onHealth(changed: (health: RuntimeHealth) => void): Disposable;
  /** Calls back with the uid of a pod of which something changed in the runtime, own calls included. */
  onPod(changed: (uid: string) => void): Disposable;
  /** All that it holds of one pod. */
  observe(pod: Pick<PodObserved, 'uid' | 'namespace' | 'name'>, signal: AbortSignal): Promise<PodObserved>;
  /** All that it holds of all pods. */
  observeAll(signal: AbortSignal): Promise<readonly PodObserved[]>;
}

const defaultTimeouts: CallTimeouts = { callMs: 120_000, sandboxMs: 240_000, pullMs: 3_600_000 };
const defaultPace: RelistPace = { busyMs: 1000, quietMs: 2000, quietRounds: 60, evidentMs: 60_000 };
const defaultHealth = { intervalMs: 5000, retryMs: 500 };

/** Connects to the runtime when it is started and goes on trying until it is stopped. The transport stays the caller's. */
export function createRuntime(options: RuntimeOptions, deps: RuntimeDeps): Runtime {
  const cri = createCri(deps.transport);
  const log = limitRepeats({ windowMs: 60_000 }, deps);
  const observer = createObserver(
    { maxRecords: options.maxRecords ?? 2000 },
    { cri, readTail: deps.readTail },
  );
  const pods = createListeners<string>(log);
  const healths = createListeners<RuntimeHealth>(log);
  const streamRetry = { initialMs: 500, maxMs: 10_000 };
  const watch = createRuntimeWatch(
    { pace: options.pace ?? defaultPace, streamRetry },
    { ...deps, log, cri, observer, changed: pods.tell },
  );
  const onChange = (health: RuntimeHealth): void => {
    if (health.kind === 'up') watch.hurry();
    healths.tell(health);
  };
  const monitor = createHealthMonitor(options.health ?? defaultHealth, { ...deps, log, cri, onChange });
  const tasks = createTaskGroup(
    { name: 'runtime' },
    { onFailure: (error, task) => log.error('runtime task failed', { task, error }) },
  );
  const timeouts = options.timeouts ?? defaultTimeouts;
  return {
    ...createCalls(cri, timeouts),
    ...createStreamingCalls(cri, timeouts),
    ...createDiskCalls(cri, timeouts),
    name: 'runtime',
    get health() {
      return monitor.current;
    },
    onHealth: healths.add,
    onPod: pods.add,
    async observe(pod, signal) {
      const listing = await observer.list(pod.uid, signal);
      return (await observer.describe(listing, signal))[0] ?? nothingOf(pod);
    },
    async observeAll(signal) {
      return observer.describe(await observer.list(undefined, signal), signal);
    },
    async start(signal) {
      await monitor.check(signal);
      tasks.run('health', (stop) => monitor.run(stop));
      tasks.run('events', (stop) => watch.follow(stop));
      tasks.run('relist', (stop) => watch.relist(stop));
    },
    stop: () => tasks.stop(),
  };
}
