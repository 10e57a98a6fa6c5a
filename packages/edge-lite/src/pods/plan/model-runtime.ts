import type { Pod } from '@selvedge/kube/types';

import type { ContainerRecord, ContainerState, PodObserved, SandboxRecord } from '../../runtime/index.ts';
import type { StartContainer, Step } from './step.ts';
import { mayRun } from './view.ts';

/** How a step goes wrong. */
export type Mishap =
  /** It does what it shall. */
  | 'none'
  /** It does nothing, and says so. */
  | 'refused'
  /** It is done, but the answer is lost. */
  | 'unheard'
  /** It is done by half: made but not started. */
  | 'half';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

type Aged = Pick<SandboxRecord, 'createdAtMs'>;
const newestFirst = (a: Aged, b: Aged): number => b.createdAtMs - a.createdAtMs;

/** A runtime of one pod, for tests: what the real one holds, without processes. */
export class ModelRuntime {
  readonly #pod: Pod;
  readonly #hash: () => string;
  #sandboxes: Mutable<SandboxRecord>[] = [];
  #containers: Mutable<ContainerRecord>[] = [];
  #serial = 0;
  /** Time stands still until it is moved. */
  nowMs = Date.UTC(2026, 0, 1);

  constructor(pod: Pod, hash: () => string) {
    this.#pod = pod;
    this.#hash = hash;
  }

  observe(): PodObserved {
    return {
      uid: this.#pod.metadata.uid ?? '',
      namespace: this.#pod.metadata.namespace ?? '',
      name: this.#pod.metadata.name ?? '',
      sandboxes: this.#sandboxes.map((one) => ({ ...one })).toSorted(newestFirst),
      containers: this.#containers.map((one) => ({ ...one })).toSorted(newestFirst),
    };
  }

  /** Does a step as well as `mishap` lets it; whether the caller hears of its success. */
  execute(step: Step, mishap: Mishap): boolean {
    if (mishap === 'refused') return false;
    this.nowMs += 10;
    if (step.kind === 'create-sandbox') this.#createSandbox(step.attempt);
    if (step.kind === 'start-container') this.#start(step, mishap === 'half');
    if (step.kind === 'stop-container') this.exit(step.containerId, 137);
    if (step.kind === 'remove-container') this.#remove(({ id }) => id === step.containerId);
    if (step.kind === 'stop-sandbox') this.killSandbox(step.sandboxId);
    if (step.kind === 'remove-sandbox') this.#removeSandbox(step.sandboxId);
    return mishap === 'none';
  }

  exit(id: string, exitCode: number): void {
    const found = this.#containers.find((one) => one.id === id);
    if (found === undefined || !mayRun(found)) return;
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    const times = { startedAtMs: found.createdAtMs, finishedAtMs: this.nowMs };
    found.state = { kind: 'exited', exitCode, reason, message: '', ...times };
  }

  /** The sandbox itself dies; what runs in it goes on. */
  orphan(): void {
    for (const sandbox of this.#sandboxes) {
      sandbox.state = 'not-ready';
      sandbox.ips = [];
    }
  }

  /** All that runs in it ends. */
  killSandbox(id: string): void {
    for (const sandbox of this.#sandboxes.filter((one) => one.id === id)) {
      sandbox.state = 'not-ready';
      sandbox.ips = [];
    }
    for (const container of this.#containers.filter((one) => one.sandboxId === id))
      this.exit(container.id, 137);
  }

  reboot(): void {
    for (const { id } of this.#sandboxes) this.killSandbox(id);
  }

  /** The runtime no longer knows what a running container does. */
  lose(id: string): void {
    const found = this.#containers.find((one) => one.id === id);
    if (found?.state.kind === 'running') found.state = { kind: 'unknown' };
  }

  #remove(gone: (container: ContainerRecord) => boolean): void {
    this.#containers = this.#containers.filter((container) => !gone(container));
  }

  #removeSandbox(id: string): void {
    this.killSandbox(id);
    this.#sandboxes = this.#sandboxes.filter((one) => one.id !== id);
    this.#remove(({ sandboxId }) => sandboxId === id);
  }

  #next(prefix: string): string {
    this.#serial += 1;
    this.nowMs += 1;
    return `${prefix}-${this.#serial}`;
  }

  #createSandbox(attempt: number): void {
    // As in the real one, a name is given once.
    if (this.#sandboxes.some((sandbox) => sandbox.attempt === attempt)) return;
    const hostNetwork = this.#pod.spec?.hostNetwork === true;
    const id = this.#next('sandbox');
    const ips = hostNetwork ? [] : ['10.0.0.9'];
    this.#sandboxes.push({ id, attempt, createdAtMs: this.nowMs, state: 'ready', hostNetwork, ips });
  }

  #start(step: StartContainer, half: boolean): void {
    const sandbox = this.#sandboxes.find(({ id }) => id === step.sandboxId);
    if (sandbox?.state !== 'ready') return;
    const running: ContainerState = { kind: 'running', startedAtMs: this.nowMs };
    this.#containers.push({
      id: this.#next(step.container),
      sandboxId: step.sandboxId,
      name: step.container,
      createdAtMs: this.nowMs,
      state: half ? { kind: 'created' } : running,
      image: 'image',
      imageRef: 'sha256:1',
      imageId: 'sha256:1',
      hash: this.#hash(),
      restartCount: step.restartCount,
      logPath: '',
      user: undefined,
      graceSeconds: 30,
    });
  }
}
