import { stat } from 'node:fs/promises';

import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
  createTaskGroup,
  jittered,
  limitRepeats,
  systemCode,
} from '@selvedge/kit';

import type { ContainerRecord, PodObserved, RuntimeCalls, RuntimeHealth } from '../../runtime/index.ts';
import { rotate } from './rotate.ts';

export interface LogRotatorOptions {
  /** A log of this size gets a new file. Default 10 MiB, as the kubelet's `containerLogMaxSize`. */
  readonly maxBytes?: number;
  /** Files kept of one container, the one being written included; 2 at least. Default 5, as `containerLogMaxFiles`. */
  readonly maxFiles?: number;
  /** How often sizes are looked at, in milliseconds. Default 10 s, as `containerLogMonitorInterval`. */
  readonly checkMs?: number;
}

export interface LogRotatorDeps {
  readonly runtime: Pick<RuntimeCalls, 'reopenLog'> & {
    readonly health: RuntimeHealth;
    observeAll(signal: AbortSignal): Promise<readonly PodObserved[]>;
  };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Bounds the logs of running containers; those of ended ones do not grow. One log at a time. */
export function createLogRotator(options: LogRotatorOptions, deps: LogRotatorDeps): Service {
  const { maxBytes = 10 * 2 ** 20, maxFiles = 5, checkMs = 10_000 } = options;
  const { runtime, clock } = deps;
  const log = limitRepeats({ windowMs: 60_000 }, { clock, log: deps.log.with({ module: 'logs' }) });
  const rotations = deps.metrics.counter({
    name: 'selvedge_pods_log_rotations_total',
    help: 'Rotations of container logs, by outcome.',
  });
  const tasks = createTaskGroup(
    { name: 'log rotation' },
    { onFailure: (error, task) => log.error('log rotation failed', { task, error }) },
  );
  const check = async ({ id, logPath: path }: ContainerRecord, signal: AbortSignal): Promise<void> => {
    const size = await sizeOf(path);
    const reopen = (): Promise<void> => runtime.reopenLog(id, signal);
    // Without a log a rotation was cut short, or somebody removed it.
    if (size === undefined) return reopen();
    if (size < maxBytes) return;
    await rotate({ path, maxFiles, nowMs: clock.now(), reopen }, signal);
    rotations.add({ outcome: 'done' });
  };
  const checkAll = async (signal: AbortSignal): Promise<void> => {
    if (runtime.health.kind !== 'up') return;
    const containers = (await runtime.observeAll(signal)).flatMap((pod) => pod.containers);
    for (const container of containers) {
      if (container.state.kind !== 'running' || container.logPath === '') continue;
      try {
        await check(container, signal);
      } catch (error) {
        signal.throwIfAborted();
        rotations.add({ outcome: 'failed' });
        log.warn('log rotation incomplete', { container: container.id, path: container.logPath, error });
      }
    }
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(jittered(checkMs, deps.random), signal);
      try {
        await checkAll(signal);
      } catch (error) {
        signal.throwIfAborted();
        log.warn('logs not looked at', { error });
      }
    }
  };
  return {
    name: 'log rotation',
    start: async () => tasks.run('rotation', run),
    stop: () => tasks.stop(),
  };
}
