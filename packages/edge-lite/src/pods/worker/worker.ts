import { type Clock, type Limiter, createLimiter } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';

import { type PodObserved, nothingOf } from '../../runtime/index.ts';
import { type ActiveStep, isActive, sayAbout } from '../apply/index.ts';
import { type Goal, type ProbeVerdict, type Step, plan } from '../plan/index.ts';
import { podRef } from '../spec/index.ts';
import { isTerminal } from '../status/index.ts';
import { attendObjects, attendProbes } from './attend.ts';
import { desiredOf } from './desire.ts';
import { deadlineMs, deadlineVerdict, goalOf } from './goal.ts';
import { heldUntilMs } from './holds.ts';
import type { PodIndex, PodLookup } from './pod-index.ts';
import type { WorkerDeps } from './ports.ts';
import { announceBackoffs, reportStatus } from './report.ts';
import { runRound } from './rounds.ts';
import type { SavedPod } from './saved.ts';
import { type PodState, type PodStates, bareOf } from './state.ts';
import { verdictsOf } from './verdicts.ts';

/** Rounds without a pause after which a pod that does not settle is left to the queue's back-off. */
const maxRounds = 64;

export interface WorkerOptions {
  /** Pods that the runtime is asked about at a time. */
  readonly maxParallelLooks: number;
  /** The machine shuts down: end pods, within this grace, to go on after it is up again. */
  readonly halt: () => { readonly sinceMs: number; readonly graceSeconds: number } | undefined;
}

/** When to look at a pod again. */
interface Again {
  readonly againAfterMs: number;
}

/** Where one pod stands. */
interface Sight {
  readonly pod: Pod;
  readonly goal: Goal;
  readonly observed: PodObserved;
  readonly podIPs: readonly string[];
  readonly steps: readonly Step[];
}

/**
 * Whether all that is left to do is to have the runtime forget what has ended. If it refuses, the cluster does not wait
 * for it: nothing of the pod runs, its volumes and cgroups are gone.
 */
function removesRecord({ kind }: ActiveStep): boolean {
  return kind === 'remove-container' || kind === 'remove-sandbox';
}

/** The monotonic time at which the pod began to end. Only what an earlier process saved is told by the wall clock. */
function beginEnding(state: PodState, clock: Clock): number {
  const sinceMs = state.saved.endingSinceMs;
  if (sinceMs !== undefined) return clock.monotonicMs() - Math.max(0, clock.now() - sinceMs);
  state.save({ endingSinceMs: clock.now() });
  return clock.monotonicMs();
}

/** Looks at a pod, and at it again after each round of steps, until there is nothing left to do now. */
export class PodWorker {
  readonly #options: WorkerOptions;
  readonly #deps: WorkerDeps;
  readonly #index: PodIndex;
  readonly #states: PodStates;
  readonly #observations: Limiter;

  constructor(options: WorkerOptions, deps: WorkerDeps, parts: { index: PodIndex; states: PodStates }) {
    this.#options = options;
    this.#deps = deps;
    this.#index = parts.index;
    this.#states = parts.states;
    this.#observations = createLimiter({ capacity: options.maxParallelLooks });
  }

  /** Resolves with the time after which the pod must be looked at again, if it must. */
  async reconcile(uid: string, signal: AbortSignal): Promise<Again | undefined> {
    for (let round = 0; round < maxRounds; round += 1) {
      const lookup = this.#index.find(uid);
      if (lookup.kind === 'unknown') return undefined;
      if (this.#deps.nodeRemoved() && this.#isGivenUp(uid, lookup)) {
        const fields = { pod: uid, api: lookup.kind };
        this.#deps.log.info('pod left as it is: the cluster gave it up with its Node', fields);
        return undefined;
      }
      const state = this.#states.of(uid);
      const api = lookup.kind === 'present' ? lookup.pod : undefined;
      state.pod = api ?? state.pod;
      if (api !== undefined) this.#judge(state, api);
      const sight = await this.#look(state, api, signal);
      const active = sight.steps.filter(isActive);
      if (active.length === 0) return this.#settled(state, sight, api);
      const outcome = await runRound(this.#deps, state, { ...sight, steps: active, signal });
      if (outcome === 'failed') return await this.#failed(state, api, { active, signal });
    }
    return { againAfterMs: 1000 };
  }

  /**
   * The cluster fails and removes the pods of a node that is not there; what became of them here, it does not know. It
   * deletes them without grace, and the API server shows even that as a deletion that was asked for, for a moment. An end
   * that began here before goes on. Source: `pkg/controller/podgc` of Kubernetes 1.36.
   */
  #isGivenUp(uid: string, lookup: PodLookup): boolean {
    const { status, endingSinceMs } = this.#savedOf(uid);
    if (endingSinceMs !== undefined) return false;
    if (lookup.kind !== 'present') return lookup.kind === 'gone';
    return isTerminal(lookup.pod.status?.phase) && !isTerminal(status?.phase);
  }

  /** Verdicts that end a pod: it may not run here, or its time is up. */
  #judge(state: PodState, pod: Pod): void {
    if (state.saved.verdict !== undefined || pod.metadata.deletionTimestamp !== undefined) return;
    const due = deadlineMs(pod, state.saved);
    if (due !== undefined && due <= this.#deps.clock.now()) {
      sayAbout(this.#deps.events, pod)({ type: 'Normal', ...deadlineVerdict });
      state.save({ verdict: deadlineVerdict });
      return;
    }
    if (state.saved.admitted === true) return;
    const verdict = this.#deps.admit(pod, this.#takenIn(state.uid));
    if (verdict === undefined) {
      state.save({ admitted: true });
      return;
    }
    const { reason, message } = verdict;
    sayAbout(this.#deps.events, pod)({ type: 'Warning', reason, message });
    state.save({ verdict: { ...verdict, message: `Pod was rejected: ${message}` } });
  }

  /** The other pods that were taken in and are not over. */
  #takenIn(but: string): readonly Pod[] {
    return this.#index.pods().filter(({ metadata, status }) => {
      if (metadata.uid === undefined || metadata.uid === but) return false;
      const { admitted, status: reported } = this.#savedOf(metadata.uid);
      return admitted === true && !isTerminal(reported?.phase) && !isTerminal(status?.phase);
    });
  }

  #savedOf(uid: string): SavedPod {
    return this.#states.find(uid)?.saved ?? this.#deps.saved.get(uid) ?? {};
  }

  /** Observes, plans, and reports what there is to see. */
  async #look(state: PodState, api: Pod | undefined, signal: AbortSignal): Promise<Sight> {
    const ref = state.pod === undefined ? { uid: state.uid, namespace: '', name: '' } : podRef(state.pod);
    const observed = await this.#observations.run(signal, () => this.#deps.runtime.observe(ref, signal));
    const pod = state.pod ?? bareOf(observed);
    const goal = this.#goal(state, api);
    const podIPs = this.#podIPs(pod, observed);
    state.podIP = podIPs[0] ?? '';
    const verdicts = this.#attend(state, goal, observed);
    const networkReady = this.#networkReady();
    const now = this.#deps.clock.now();
    const steps = plan(desiredOf(state, pod, { goal, verdicts, networkReady }), observed, now);
    announceBackoffs(this.#deps, state, steps);
    if (steps.some((step) => step.kind === 'wait-for-network')) this.#sayNetworkNotReady(pod);
    const reports = api !== undefined && !state.reported;
    if (reports) reportStatus(this.#deps, state, { pod, goal, observed, verdicts });
    return { pod, goal, observed, podIPs, steps };
  }

  #goal(state: PodState, api: Pod | undefined): Goal {
    const { clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    const halt = this.#options.halt();
    const goal = goalOf({ pod: api, saved: state.saved, halt, endingSinceMs: state.endingSinceMs, nowMs });
    const ends = goal.kind === 'stop' || goal.kind === 'remove';
    if (!ends || state.endingSinceMs !== undefined) return goal;
    state.endingSinceMs = beginEnding(state, clock);
    return this.#goal(state, api);
  }

  #podIPs(pod: Pod, observed: PodObserved): readonly string[] {
    return pod.spec?.hostNetwork === true ? this.#deps.hostIPs() : (observed.sandboxes[0]?.ips ?? []);
  }

  /** Follows and probes what the pod needs now; what the probes say. */
  #attend(state: PodState, goal: Goal, observed: PodObserved): ReadonlyMap<string, ProbeVerdict> {
    const { prober, source } = this.#deps;
    attendObjects(state, goal, source);
    attendProbes(state, goal, { prober, observed });
    return verdictsOf(observed, (id) => prober.results(id), state.saved.status);
  }

  #networkReady(): boolean {
    const { health } = this.#deps.runtime;
    return health.kind === 'up' && health.network.ready;
  }

  #sayNetworkNotReady(pod: Pod): void {
    const { health } = this.#deps.runtime;
    const { reason, message } = health.kind === 'up' ? health.network : { reason: '', message: '' };
    const text = `network is not ready: container runtime network not ready: NetworkReady=false reason:${reason} message:${message}`;
    sayAbout(this.#deps.events, pod)({ type: 'Warning', reason: 'NetworkNotReady', message: text });
  }

  /** Nothing to do now: when to look again. */
  async #settled(state: PodState, sight: Sight, api: Pod | undefined): Promise<Again | undefined> {
    const ended = sight.steps.some((step) => step.kind === 'report-terminated');
    if (ended) await this.#terminated(state, api);
    return ended ? undefined : this.#again(state, sight);
  }

  async #failed(
    state: PodState,
    api: Pod | undefined,
    round: { readonly active: readonly ActiveStep[]; readonly signal: AbortSignal },
  ): Promise<Again | undefined> {
    // What failed shows in the status at once.
    const sight = await this.#look(state, api, round.signal);
    if (api !== undefined && sight.goal.kind === 'remove' && round.active.every(removesRecord)) {
      this.#reportEnd(state, api);
    }
    const untilMs = heldUntilMs(state, [...sight.steps.filter(isActive), ...round.active]);
    const heldMs = untilMs === undefined ? 1000 : untilMs - this.#deps.clock.monotonicMs();
    return this.#again(state, sight, heldMs);
  }

  #again(state: PodState, sight: Sight, heldMs = Infinity): Again | undefined {
    const waits = sight.steps.flatMap((step) => (step.kind === 'wait-for-backoff' ? [step.untilMs] : []));
    const due = sight.goal.kind === 'run' ? deadlineMs(sight.pod, state.saved) : undefined;
    const nextMs = Math.min(...waits, due ?? Infinity) - this.#deps.clock.now();
    const afterMs = Math.min(nextMs, heldMs);
    return afterMs === Infinity ? undefined : { againAfterMs: Math.max(0, afterMs) };
  }

  /** Nothing of the pod is left here. */
  async #terminated(state: PodState, api: Pod | undefined): Promise<void> {
    if (api === undefined) {
      await this.#deps.forget(state.uid);
      this.#states.forget(state.uid);
      return;
    }
    this.#reportEnd(state, api);
  }

  #reportEnd(state: PodState, api: Pod): void {
    if (state.reported) return;
    const observed = nothingOf(podRef(api));
    const goal = this.#goal(state, api);
    const status = reportStatus(this.#deps, state, { pod: api, goal, observed, verdicts: new Map() });
    state.reported = true;
    this.#deps.sink.terminated(podRef(api), status);
  }
}
