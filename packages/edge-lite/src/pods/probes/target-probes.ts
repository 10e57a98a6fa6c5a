import { type Clock, type Logger, type Random, messageOf } from '@selvedge/kit';
import type { Probe } from '@selvedge/kube/types';

import type { ProbeVerdict } from '../plan/index.ts';
import type { PodEvents } from '../ports.ts';
import { podRef } from '../spec/index.ts';
import type { Check } from './check.ts';
import type { ProbeMetrics } from './metrics.ts';
import type { Outcome } from './outcome.ts';
import { counts, extend, noRun, type Run } from './threshold.ts';
import type { ProbeCount, ProbeTarget } from './types.ts';

export interface TargetProbesDeps {
  readonly check: Check;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: PodEvents;
  readonly metrics: ProbeMetrics;
  readonly log: Logger;
}

export interface TargetProbesOptions {
  /** The first probe waits a random part of this, so that those of many containers do not fall into step. */
  readonly maxFirstDelayMs: number;
  /** Called after each change of a verdict. */
  readonly changed: () => void;
}

type ProbeKind = ProbeCount['probe'];

const titles: Readonly<Record<ProbeKind, string>> = {
  startup: 'Startup',
  readiness: 'Readiness',
  liveness: 'Liveness',
};

/** How often a probe that could not be run at all is tried before that is said. */
const maxAttempts = 3;
/** The first pauses of a readiness probe that has not succeeded yet; they double up to its period. */
const eagerMs = 1000;

function fieldPath({ pod, container }: ProbeTarget): string {
  const init = pod.spec?.initContainers?.some(({ name }) => name === container.name) === true;
  return `spec.${init ? 'initContainers' : 'containers'}{${container.name}}`;
}

/** The probes of one running container. */
export class TargetProbes {
  readonly #target: ProbeTarget;
  readonly #options: TargetProbesOptions;
  readonly #deps: TargetProbesDeps;
  /** By kind and result: nine at most. */
  readonly #counts = new Map<string, ProbeCount>();
  readonly #verdict: { -readonly [K in ProbeKind]?: boolean } = {};

  constructor(target: ProbeTarget, options: TargetProbesOptions, deps: TargetProbesDeps) {
    this.#target = target;
    this.#options = options;
    this.#deps = deps;
    if (target.started === true && target.container.startupProbe !== undefined) this.#verdict.startup = true;
  }

  get verdict(): ProbeVerdict {
    return this.#verdict;
  }

  get counts(): readonly ProbeCount[] {
    return [...this.#counts.values()];
  }

  /** Resolves when nothing is left to probe; rejects when `signal` aborts, before the start also when `alive` does. */
  async run(signal: AbortSignal, alive: AbortSignal): Promise<void> {
    if (!(await this.#startUp(alive))) return;
    const { readinessProbe, livenessProbe } = this.#target.container;
    await Promise.all([
      readinessProbe === undefined ? undefined : this.#repeat('readiness', readinessProbe, signal),
      livenessProbe === undefined ? undefined : this.#whileAlive(livenessProbe, signal, alive),
    ]);
  }

  /** Whether the container has started: at once if no probe says otherwise. */
  async #startUp(signal: AbortSignal): Promise<boolean> {
    const probe = this.#target.container.startupProbe;
    if (probe !== undefined && this.#verdict.startup !== true) await this.#repeat('startup', probe, signal);
    return probe === undefined || this.#verdict.startup === true;
  }

  async #whileAlive(probe: Probe, signal: AbortSignal, alive: AbortSignal): Promise<void> {
    try {
      await this.#repeat('liveness', probe, alive);
    } catch (error) {
      // The pod ends; its readiness goes on being probed.
      if (signal.aborted || !alive.aborted) throw error;
    }
  }

  /** Probes in its period until there is nothing more to learn. */
  async #repeat(kind: ProbeKind, probe: Probe, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    const delayMs = (probe.initialDelaySeconds ?? 0) * 1000;
    const dueMs = this.#target.startedAtMs + delayMs - clock.now();
    const firstMs = Math.min(this.#options.maxFirstDelayMs, periodMs) * random();
    await clock.sleep(Math.min(delayMs, Math.max(0, dueMs)) + firstMs, signal);
    let run = noRun;
    for (let round = 0; ; round += 1) {
      const beganMs = clock.monotonicMs();
      run = await this.#round(kind, { probe, run }, signal);
      if (this.#isOver(kind)) return;
      const eager = kind === 'readiness' && this.#verdict.readiness !== true;
      const pauseMs = eager ? Math.min(periodMs, eagerMs * 2 ** Math.min(round, 20)) : periodMs;
      await clock.sleep(Math.max(0, beganMs + pauseMs - clock.monotonicMs()), signal);
    }
  }

  /** A container that has started, or that is about to be killed, is not asked again. */
  #isOver(kind: ProbeKind): boolean {
    if (kind === 'startup') return this.#verdict.startup !== undefined;
    return kind === 'liveness' && this.#verdict.liveness === false;
  }

  async #round(
    kind: ProbeKind,
    { probe, run }: { readonly probe: Probe; readonly run: Run },
    signal: AbortSignal,
  ): Promise<Run> {
    const outcome = await this.#attempt(kind, probe, signal);
    if (outcome === undefined) return run;
    this.#deps.metrics.results.add({ probe: kind, result: outcome.kind });
    this.#count(kind, outcome.kind === 'failure' ? 'failure' : 'success');
    const next = extend(run, outcome.kind !== 'failure');
    if (counts(next, probe)) this.#set(kind, next.succeeded);
    return next;
  }

  /** `undefined` if the probe could not be run: that says nothing about the container. */
  async #attempt(kind: ProbeKind, probe: Probe, signal: AbortSignal): Promise<Outcome | undefined> {
    let last: unknown;
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      try {
        const outcome = await this.#deps.check(probe, this.#target, signal);
        signal.throwIfAborted();
        this.#say(kind, outcome);
        return outcome;
      } catch (error) {
        signal.throwIfAborted();
        last = error;
      }
    }
    this.#deps.metrics.results.add({ probe: kind, result: 'error' });
    this.#count(kind, 'unknown');
    const text = `${titles[kind]} probe errored and resulted in unknown state: ${messageOf(last)}`;
    this.#record('Unhealthy', text);
    return undefined;
  }

  #count(probe: ProbeKind, result: ProbeCount['result']): void {
    const { namespace, name: pod, uid: podUid } = podRef(this.#target.pod);
    const key = `${probe}/${result}`;
    const count = (this.#counts.get(key)?.count ?? 0) + 1;
    this.#counts.set(key, {
      namespace,
      pod,
      podUid,
      container: this.#target.container.name,
      probe,
      result,
      count,
    });
  }

  #say(kind: ProbeKind, outcome: Outcome): void {
    const title = titles[kind];
    if (outcome.kind === 'failure') this.#record('Unhealthy', `${title} probe failed: ${outcome.output}`);
    if (outcome.kind === 'warning') {
      this.#record('ProbeWarning', `${title} probe warning: ${outcome.output}`);
    }
  }

  #record(reason: string, message: string): void {
    const { pod } = this.#target;
    const event = { type: 'Warning', reason, message, fieldPath: fieldPath(this.#target) } as const;
    this.#deps.events.record(podRef(pod), event);
  }

  #set(kind: ProbeKind, succeeded: boolean): void {
    if (this.#verdict[kind] === succeeded) return;
    this.#verdict[kind] = succeeded;
    const { containerId, pod, container } = this.#target;
    this.#deps.log.debug('probe changed its verdict', {
      pod: podRef(pod).uid,
      container: container.name,
      containerId,
      probe: kind,
      succeeded,
    });
    this.#options.changed();
  }
}
