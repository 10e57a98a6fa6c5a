import { type Clock, type Logger, type Random, isAbort, jittered, messageOf } from '@selvedge/kit';

import type { Cri } from './cri.ts';

/** One condition of the runtime, in its own words. */
export interface RuntimeCondition {
  readonly ready: boolean;
  readonly reason: string;
  readonly message: string;
}

export interface RuntimeVersion {
  /** `containerd` */
  readonly name: string;
  readonly version: string;
}

export type RuntimeHealth =
  /** Not asked yet. */
  | { readonly kind: 'unknown' }
  /** It does not answer. */
  | { readonly kind: 'down'; readonly sinceMs: number; readonly error: string }
  | {
      readonly kind: 'up';
      readonly version: RuntimeVersion;
      readonly runtime: RuntimeCondition;
      readonly network: RuntimeCondition;
    };

export interface HealthOptions {
  /** How often a runtime that is ready is asked, in milliseconds. The kubelet: 5 s. */
  readonly intervalMs: number;
  /** How often one that does not answer, or is not ready, is asked, in milliseconds. */
  readonly retryMs: number;
}

export interface HealthDeps {
  readonly cri: Cri;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onChange: (health: RuntimeHealth) => void;
}

export interface HealthMonitor {
  readonly current: RuntimeHealth;
  /** Asks once, now. */
  check(signal: AbortSignal): Promise<RuntimeHealth>;
  /** Asks until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const unreported: RuntimeCondition = {
  ready: false,
  reason: 'Unreported',
  message: 'the runtime reported no such condition',
};

const isReady = (health: RuntimeHealth): boolean =>
  health.kind === 'up' && health.runtime.ready && health.network.ready;

async function ask(cri: Cri, signal: AbortSignal, deadlineMs: number): Promise<RuntimeHealth> {
  const [version, { status }] = await Promise.all([
    cri.runtime.version({ version: '' }, { signal, deadlineMs }),
    cri.runtime.status({ verbose: false }, { signal, deadlineMs }),
  ]);
  const condition = (type: string): RuntimeCondition => {
    const found = status?.conditions.find((one) => one.type === type);
    return found === undefined
      ? unreported
      : { ready: found.status, reason: found.reason, message: found.message };
  };
  return {
    kind: 'up',
    version: { name: version.runtimeName, version: version.runtimeVersion },
    runtime: condition('RuntimeReady'),
    network: condition('NetworkReady'),
  };
}

/** Follows whether the runtime answers, and what it says of itself and of the pod network. */
export function createHealthMonitor(options: HealthOptions, deps: HealthDeps): HealthMonitor {
  let current: RuntimeHealth = { kind: 'unknown' };
  const settle = (next: RuntimeHealth): void => {
    const since = current.kind === 'down' && next.kind === 'down' ? current.sinceMs : undefined;
    const kept = since !== undefined && next.kind === 'down' ? { ...next, sinceMs: since } : next;
    if (JSON.stringify(kept) === JSON.stringify(current)) return;
    deps.log.info('container runtime changed', { from: current.kind, to: kept.kind, health: kept });
    current = kept;
    deps.onChange(kept);
  };
  const check = async (signal: AbortSignal): Promise<RuntimeHealth> => {
    try {
      settle(await ask(deps.cri, signal, options.intervalMs));
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      settle({ kind: 'down', sinceMs: deps.clock.now(), error: messageOf(error) });
    }
    return current;
  };
  return {
    get current() {
      return current;
    },
    check,
    async run(signal) {
      while (!signal.aborted) {
        const waitMs = isReady(await check(signal)) ? options.intervalMs : options.retryMs;
        await deps.clock.sleep(jittered(waitMs, deps.random), signal);
      }
    },
  };
}
