import {
  createStateMachine,
  createTaskGroup,
  hasCode,
  messageOf,
  raceAbort,
  type Clock,
  type Logger,
  type StateMachine,
} from '@selvedge/kit';
import type { ReflectorState } from '@selvedge/kube';
import { createOutcome, type Outcome } from './outcome.ts';
import type { CoverageState } from './types.ts';

export interface ProgressDeps {
  /** Told when nobody keeps it up to date any more. */
  readonly suspended: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A resumed watch that was accepted and said nothing for so long has nothing to say that is older. */
const confirmMs = 1_000;

const moves = {
  filling: ['live', 'stale', 'suspended'],
  live: ['stale', 'suspended'],
  stale: ['live', 'suspended'],
  suspended: ['filling', 'live', 'stale', 'suspended'],
} as const;

/** How far a coverage is, from what its list-watch does and says. */
export class Progress {
  readonly #deps: ProgressDeps;
  readonly #machine: StateMachine<CoverageState>;
  readonly #tasks;
  readonly #accepted: Outcome;
  readonly #complete: Outcome;
  #live = Promise.withResolvers<void>();
  #synced: boolean;
  #watching = false;
  /** Upstream said something since the list-watch went on. */
  #heard = false;
  /** Counts the times that it went on or broke off, so that a late confirmation is told apart. */
  #round = 0;

  /** `synced`: it was complete in an earlier run. */
  constructor(synced: boolean, deps: ProgressDeps) {
    this.#deps = deps;
    this.#synced = synced;
    this.#accepted = createOutcome(synced);
    this.#complete = createOutcome(synced);
    const initial: CoverageState = synced
      ? { kind: 'stale', sinceMs: deps.clock.now() }
      : { kind: 'filling' };
    this.#machine = createStateMachine<CoverageState>(
      { name: 'coverage', initial, moves },
      { log: deps.log, onMove: (from, to) => this.#moved(from, to) },
    );
    this.#tasks = createTaskGroup(
      { name: 'coverage progress' },
      { onFailure: (error) => deps.log.error('coverage task failed', { error }) },
    );
  }

  get state(): CoverageState {
    return this.#machine.current;
  }

  get synced(): boolean {
    return this.#synced;
  }

  whenSynced(signal: AbortSignal): Promise<void> {
    return this.#complete.wait(signal);
  }

  whenLive(signal: AbortSignal): Promise<void> {
    return raceAbort(this.#live.promise, signal);
  }

  whenAccepted(signal: AbortSignal): Promise<void> {
    return this.#accepted.wait(signal);
  }

  /** Upstream lets somebody run it. */
  accept(): void {
    this.#accepted.come();
  }

  /** Something of upstream is in the replica; `complete`: a whole list. */
  hear(what: 'complete' | 'change'): void {
    this.#heard = true;
    if (what === 'complete') {
      this.#synced = true;
      this.#complete.come();
    }
    if (this.#watching) this.#catchUp();
  }

  follow(state: ReflectorState): void {
    this.#watching = state.kind === 'watching';
    if (state.kind === 'listing') {
      this.#heard = false;
      this.#fallBehind();
    } else if (state.kind === 'watching') {
      this.#round += 1;
      const round = this.#round;
      if (this.#heard) this.#catchUp();
      else this.#tasks.run('confirm', (signal) => this.#confirm(round, signal));
    } else if (state.kind === 'waiting') {
      this.#round += 1;
      this.#heard = false;
      this.#fail(state.error);
    }
  }

  stop(): Promise<void> {
    return this.#tasks.stop();
  }

  async #confirm(round: number, signal: AbortSignal): Promise<void> {
    await this.#deps.clock.sleep(confirmMs, signal);
    if (round === this.#round) this.#catchUp();
  }

  #catchUp(): void {
    if (this.state.kind !== 'live') this.#machine.move({ kind: 'live' });
  }

  #fallBehind(): void {
    const next: CoverageState = this.#synced
      ? { kind: 'stale', sinceMs: this.#deps.clock.now() }
      : { kind: 'filling' };
    if (this.state.kind !== next.kind) this.#machine.move(next);
  }

  #fail(error: unknown): void {
    if (hasCode(error, 'Forbidden', 'Unauthenticated')) {
      this.#machine.move({ kind: 'suspended', reason: messageOf(error) });
    } else this.#fallBehind();
    this.#accepted.refuse(error);
    if (!hasCode(error, 'Unavailable', 'DeadlineExceeded', 'Aborted')) this.#complete.refuse(error);
  }

  #moved(from: CoverageState, to: CoverageState): void {
    if (to.kind === 'live') this.#live.resolve();
    else if (from.kind === 'live') this.#live = Promise.withResolvers();
    if (to.kind === 'suspended' && from.kind !== 'suspended') this.#deps.suspended();
  }
}
