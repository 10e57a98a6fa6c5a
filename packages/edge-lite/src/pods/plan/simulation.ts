import type { Container, Pod, PodStatus } from '@selvedge/kube/types';

import { isTerminal, podStatus } from '../status/index.ts';
import { type CrashBackoff, afterRestart } from './backoff.ts';
import type { Goal, PodDesired } from './desired.ts';
import { type Mishap, ModelRuntime } from './model-runtime.ts';
import { plan } from './plan.ts';
import { isSidecar } from './restart.ts';
import type { StartContainer, Step } from './step.ts';
import { mayRun } from './view.ts';

/** What happens to a pod from outside, between two rounds. */
export type Disturbance =
  | { readonly kind: 'exit'; readonly pick: number; readonly exitCode: number }
  | { readonly kind: 'lose'; readonly pick: number }
  | {
      readonly kind:
        | 'kill-sandbox'
        | 'orphan-sandbox'
        | 'reboot'
        | 'restart-agent'
        | 'change-image'
        | 'fail-liveness';
    }
  | { readonly kind: 'wait'; readonly seconds: number };

const maxRounds = 400;

/** The worker without its I/O: one pod, the model runtime, and what is remembered. Every claim that fails throws. */
export class Simulation {
  readonly runtime: ModelRuntime;
  readonly #pod: Pod;
  readonly #crashes = new Map<string, CrashBackoff>();
  readonly #owed = new Set<string>();
  #hash = 'first';
  #goal: Goal = { kind: 'run' };
  #volumes: PodDesired['volumes'] = 'unknown';
  #stopped = new Set<string>();
  #dead = new Set<string>();
  status: PodStatus | undefined;
  reported = false;

  constructor(pod: Pod) {
    this.#pod = pod;
    this.runtime = new ModelRuntime(pod, () => this.#hash);
  }

  disturb(what: Disturbance): void {
    const { containers, sandboxes } = this.runtime.observe();
    const running = containers.filter(mayRun).map(({ id }) => id);
    if ('pick' in what) this.#hit(what, running[what.pick % Math.max(1, running.length)] ?? '');
    if (what.kind === 'wait') this.runtime.nowMs += what.seconds * 1000;
    if (what.kind === 'change-image') this.#hash = 'second';
    if (what.kind === 'fail-liveness') this.#dead = new Set(running);
    if (what.kind === 'restart-agent') this.#restartAgent();
    this.#breakSandbox(what.kind, sandboxes[0]?.id ?? '');
  }

  #breakSandbox(how: Disturbance['kind'], id: string): void {
    if (how === 'kill-sandbox') this.runtime.killSandbox(id);
    if (how === 'orphan-sandbox') this.runtime.orphan();
    if (how === 'reboot') this.runtime.reboot();
  }

  #hit(what: Extract<Disturbance, { readonly pick: number }>, id: string): void {
    if (what.kind === 'exit') this.runtime.exit(id, what.exitCode);
    else this.runtime.lose(id);
  }

  delete(): void {
    this.#goal = { kind: 'remove', ending: { spentMs: 0, graceSeconds: 1 } };
  }

  /** Init containers do their work and end. */
  finishInits(): void {
    for (const id of this.#runningInits()) this.runtime.exit(id, 0);
  }

  plan(): readonly Step[] {
    const spec = this.#pod.spec ?? { containers: [] };
    const desired: PodDesired = {
      pod: this.#pod,
      goal: this.#goal,
      volumes: this.#volumes,
      networkReady: true,
      verdicts: new Map([...this.#dead].map((id) => [id, { liveness: false }])),
      crashes: this.#crashes,
      nextRestart: new Map(),
      hashes: new Map(
        [...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => [name, this.#hash]),
      ),
      owedRestarts: this.#owed,
      stoppedSandboxes: this.#stopped,
    };
    return plan(desired, this.runtime.observe(), this.runtime.nowMs);
  }

  /** Looks, reports, and does the steps until one fails. Whether there was anything to do. */
  round(mishapOf: () => Mishap): boolean {
    this.#report();
    const steps = this.plan();
    for (const step of steps) {
      if (step.kind === 'start-container') this.#beforeStart(step);
      const heard = this.runtime.execute(step, mishapOf());
      this.#claimNoTwins();
      if (!heard) return true;
      this.#note(step);
    }
    this.#report();
    return steps.length > 0;
  }

  /** Runs undisturbed, in as much time as it needs, until nothing is to be done. */
  settle(): void {
    for (let round = 0; round < maxRounds; round += 1) {
      this.finishInits();
      const busy = this.round(() => 'none');
      if (this.reported || (!busy && this.#runningInits().length === 0)) return;
      this.runtime.nowMs += 5000;
    }
    throw new Error(`does not settle: ${JSON.stringify([this.plan(), this.runtime.observe()])}`);
  }

  #restartAgent(): void {
    this.#volumes = 'unknown';
    this.#stopped = new Set();
    this.#dead = new Set();
  }

  #runningInits(): readonly string[] {
    const inits = (this.#pod.spec?.initContainers ?? []).filter((container) => !isSidecar(container));
    const { containers } = this.runtime.observe();
    return containers
      .filter((record) => mayRun(record) && inits.some(({ name }) => name === record.name))
      .map(({ id }) => id);
  }

  #report(): void {
    const observed = this.runtime.observe();
    const before = this.status;
    const status = podStatus({
      pod: this.#pod,
      observed,
      previous: before,
      waiting: new Map(),
      verdicts: new Map(),
      ended: this.#goal.kind !== 'run' && !observed.containers.some(mayRun),
      verdict: undefined,
      hostIPs: ['192.0.2.1'],
      qosClass: 'BestEffort',
      runtimeName: 'containerd',
      nowMs: this.runtime.nowMs,
    });
    this.status = status;
    this.#claimSteady(before, status);
    if (isTerminal(status.phase) && this.#goal.kind === 'run') {
      this.#goal = { kind: 'stop', ending: { spentMs: 0, graceSeconds: undefined } };
    }
  }

  /** An end is final, is not claimed while something runs, and counts never go back. */
  #claimSteady(before: PodStatus | undefined, now: PodStatus): void {
    if (isTerminal(now.phase)) this.#claimEnded(before, now.phase);
    if (before === undefined) return;
    claim(!isTerminal(before.phase) || now.phase === before.phase, `phase left ${before.phase}`);
    const counts = new Map(now.containerStatuses?.map(({ name, restartCount }) => [name, restartCount]));
    for (const { name, restartCount } of before.containerStatuses ?? []) {
      claim((counts.get(name) ?? 0) >= restartCount, `restart count of ${name} went below ${restartCount}`);
    }
  }

  #claimEnded(before: PodStatus | undefined, phase: string): void {
    const { containers, sandboxes } = this.runtime.observe();
    claim(!containers.some(mayRun), `phase is ${phase} while a container runs`);
    const up = sandboxes.some(({ state }) => state === 'ready');
    claim(isTerminal(before?.phase) || !up, `phase becomes ${phase} while the sandbox is up`);
  }

  #claimNoTwins(): void {
    const { containers } = this.runtime.observe();
    const names = containers.filter(mayRun).map(({ name }) => name);
    claim(new Set(names).size === names.length, `two of one container run: ${names.join(' ')}`);
  }

  /** What is done for good is not run again; the back-off is kept. */
  #beforeStart(step: StartContainer): void {
    const { containers } = this.runtime.observe();
    const last = containers.find(({ name }) => name === step.container);
    const spec = this.#pod.spec?.containers.find(({ name }) => name === step.container);
    if (spec !== undefined && last?.state.kind === 'exited') {
      const may = this.#mayRunAgain(spec, last.state.exitCode) || this.#owed.has(last.id);
      claim(may, `${step.container} is run again after exit code ${last.state.exitCode}`);
    }
    if (step.endedAtMs === undefined) return;
    const entry = this.#crashes.get(step.container);
    const ended = { atMs: step.endedAtMs, hash: this.#hash };
    this.#crashes.set(step.container, afterRestart(entry, ended, this.runtime.nowMs));
  }

  #mayRunAgain(container: Container, exitCode: number): boolean {
    const policy = container.restartPolicy ?? this.#pod.spec?.restartPolicy;
    return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
  }

  #note(step: Step): void {
    if (step.kind === 'prepare-volumes') this.#volumes = 'ready';
    if (step.kind === 'remove-volumes') this.#volumes = 'gone';
    if (step.kind === 'stop-sandbox') this.#stopped.add(step.sandboxId);
    if (step.kind === 'stop-container' && step.restart) this.#owed.add(step.containerId);
    if (step.kind === 'report-terminated') this.reported = true;
  }
}

function claim(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
