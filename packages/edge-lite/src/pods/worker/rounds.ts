import { isAbort, scoped } from '@selvedge/kit';

import type { PodObserved } from '../../runtime/index.ts';
import { type ActiveStep, type StepContext, type StepResult, apply } from '../apply/index.ts';
import { afterRestart } from '../plan/index.ts';
import { allContainers, containerHash } from '../spec/index.ts';
import { blocks, holdMs, holdStep, isHeld } from './holds.ts';
import type { WorkerDeps } from './ports.ts';
import { type PodState, bareOf } from './state.ts';

/** What a round of steps came to. */
export type RoundOutcome =
  /** All steps were done: look again. */
  | 'done'
  /** Something failed, and is left alone for a while. */
  | 'failed'
  /** The pod changed meanwhile: plan anew. */
  | 'interrupted';

/** A container that ended is started again: its back-off grows, whatever comes of the start. */
function noteRestart(state: PodState, step: ActiveStep, nowMs: number): void {
  if (step.kind !== 'start-container' || step.endedAtMs === undefined || state.pod === undefined) return;
  const container = allContainers(state.pod).find(({ name }) => name === step.container);
  if (container === undefined) return;
  const ended = { atMs: step.endedAtMs, hash: containerHash(container) };
  const entry = afterRestart(state.saved.crashes?.[step.container], ended, nowMs);
  state.save({ crashes: { ...state.saved.crashes, [step.container]: entry } });
}

function noteDone(state: PodState, step: ActiveStep, observed: PodObserved): void {
  if (step.kind === 'prepare-volumes') state.volumes = 'ready';
  if (step.kind === 'remove-volumes') state.volumes = 'gone';
  if (step.kind === 'start-container') state.waiting.delete(step.container);
  if (step.kind === 'stop-sandbox') state.stoppedSandboxes.add(step.sandboxId);
  if (step.kind === 'stop-container' && step.restart) {
    const here = new Set(observed.containers.map(({ id }) => id));
    const owed = (state.saved.owedRestarts ?? []).filter((id) => here.has(id) && id !== step.containerId);
    state.save({ owedRestarts: [...owed, step.containerId] });
  }
}

interface Noted {
  readonly result: StepResult;
  readonly observed: PodObserved;
  /** By the monotonic clock. */
  readonly nowMs: number;
}

function noteResult(state: PodState, step: ActiveStep, { result, observed, nowMs }: Noted): void {
  if (result.kind === 'done') {
    noteDone(state, step, observed);
    return;
  }
  const retryAtMs = result.kind === 'waiting' ? result.retryAtMs : undefined;
  if (result.kind === 'waiting' && step.kind === 'start-container') {
    state.waiting.set(step.container, result.waiting);
  }
  holdStep(state, step, retryAtMs ?? nowMs + holdMs(state.failures));
}

/** Executes the steps of one plan. */
class Round {
  readonly #deps: WorkerDeps;
  readonly #state: PodState;
  readonly #context: StepContext;
  #failed = false;

  constructor(deps: WorkerDeps, state: PodState, context: StepContext) {
    this.#deps = deps;
    this.#state = state;
    this.#context = context;
  }

  /** In order; those that end containers together, so that each has its whole grace period. */
  async run(steps: readonly ActiveStep[]): Promise<boolean> {
    const stops = steps.filter((step) => step.kind === 'stop-container');
    const passed = await Promise.all(stops.map((step) => this.#one(step)));
    if (passed.includes(false)) return false;
    for (const step of steps) {
      if (step.kind === 'stop-container') continue;
      const ok = await this.#one(step);
      if (!ok && blocks(step)) break;
    }
    return !this.#failed;
  }

  async #one(step: ActiveStep): Promise<boolean> {
    const { clock, log, metrics, apply: deps } = this.#deps;
    if (isHeld(this.#state, step, clock.monotonicMs())) {
      this.#failed = true;
      return false;
    }
    const begun = clock.monotonicMs();
    noteRestart(this.#state, step, clock.now());
    const result = await apply(deps, step, this.#context);
    const seconds = (clock.monotonicMs() - begun) / 1000;
    metrics.steps.add({ step: step.kind, outcome: result.kind });
    metrics.stepSeconds.observe(seconds, { step: step.kind });
    log.debug('step done', { pod: this.#state.uid, step, outcome: result.kind, seconds });
    if (result.kind === 'failed') {
      log.warn('step failed', { pod: this.#state.uid, step: step.kind, error: result.error });
    }
    const { observed } = this.#context;
    noteResult(this.#state, step, { result, observed, nowMs: clock.monotonicMs() });
    this.#failed ||= result.kind !== 'done';
    return result.kind === 'done';
  }
}

/** Runs the steps of a plan unless the pod changes meanwhile in a way that makes waiting for them pointless. */
export async function runRound(
  deps: WorkerDeps,
  state: PodState,
  work: {
    readonly steps: readonly ActiveStep[];
    readonly observed: PodObserved;
    readonly podIPs: readonly string[];
    readonly signal: AbortSignal;
  },
): Promise<RoundOutcome> {
  using interrupt = scoped(work.signal);
  state.interrupt = interrupt;
  const context: StepContext = {
    pod: state.pod ?? bareOf(work.observed),
    observed: work.observed,
    podIPs: work.podIPs,
    failures: state.failures,
    signal: work.signal,
    interrupt: interrupt.signal,
  };
  try {
    const passed = await new Round(deps, state, context).run(work.steps);
    state.failures = passed ? 0 : state.failures + 1;
    return passed ? 'done' : 'failed';
  } catch (error) {
    if (work.signal.aborted || !isAbort(error, interrupt.signal)) throw error;
    return 'interrupted';
  } finally {
    state.interrupt = undefined;
  }
}
