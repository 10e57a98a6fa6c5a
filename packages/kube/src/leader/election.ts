import {
  SelvedgeError,
  createStateMachine,
  createTaskGroup,
  limitRepeats,
  scoped,
  withDeadline,
  type Clock,
  type Logger,
  type Random,
  type Service,
  type StateMachine,
  type TaskGroup,
} from '@selvedge/kit';
import type { ObjectRef } from '../object.ts';
import { LeaseLock, type LockDeps } from './lock.ts';

export interface LeaderElectionOptions {
  /** Namespace and name of the Lease; made by the first candidate. */
  readonly lease: ObjectRef;
  /** Of this candidate among all, and of this run among its runs. */
  readonly identity: string;
  /** How long the others leave a leader alone that they see nothing of. Whole seconds. Default 15,000. */
  readonly leaseDurationMs?: number | undefined;
  /** How long after its last renewal a leader ends its work. Default 10,000. */
  readonly renewDeadlineMs?: number | undefined;
  /** Between two attempts, jittered for who waits. Default 2,000. */
  readonly retryMs?: number | undefined;
}

export interface LeaderElectionDeps extends LockDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** What only the leader runs, made anew for each term. A start that fails ends the term. */
  readonly work: () => Service;
}

export type LeaderState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'following' }
  | { readonly kind: 'leading' }
  | { readonly kind: 'stopped' };

export interface LeaderElection extends Service {
  readonly state: LeaderState;
  /** Who held the Lease when it was last seen. */
  readonly leader: string | undefined;
  /** Rejects when the work of a term did not end before another may lead: then the program has to. */
  readonly failed: Promise<never>;
}

const defaults = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };
/** As client-go's `JitterFactor`. */
const jitterFactor = 1.2;
const repeatWindowMs = 60_000;

const moves = {
  idle: ['following', 'stopped'],
  following: ['leading', 'stopped'],
  leading: ['following'],
  stopped: [],
} as const;

type Times = typeof defaults;

function timesOf(options: LeaderElectionOptions): Times {
  const {
    leaseDurationMs = defaults.leaseDurationMs,
    renewDeadlineMs = defaults.renewDeadlineMs,
    retryMs = defaults.retryMs,
  } = options;
  if (leaseDurationMs > renewDeadlineMs && renewDeadlineMs > retryMs * jitterFactor) {
    return { leaseDurationMs, renewDeadlineMs, retryMs };
  }
  const message = `a lease of ${leaseDurationMs} ms cannot have a renew deadline of ${renewDeadlineMs} ms and a retry after ${retryMs} ms`;
  throw new SelvedgeError(message, { code: 'Invalid' });
}

class LeaseElection implements LeaderElection {
  readonly name = 'leader election';
  readonly failed: Promise<never>;
  readonly #deps: LeaderElectionDeps;
  readonly #times: Times;
  readonly #identity: string;
  readonly #log: Logger;
  readonly #lock: LeaseLock;
  readonly #machine: StateMachine<LeaderState>;
  readonly #tasks: TaskGroup;
  readonly #fail: (error: unknown) => void;
  /** When the request that last renewed the Lease was sent: the others count from later. */
  #renewedAtMs = 0;

  constructor(options: LeaderElectionOptions, deps: LeaderElectionDeps) {
    this.#deps = deps;
    this.#times = timesOf(options);
    this.#identity = options.identity;
    const log = deps.log.with({ lease: options.lease.name, identity: options.identity });
    this.#log = limitRepeats({ windowMs: repeatWindowMs }, { log, clock: deps.clock });
    this.#lock = new LeaseLock({ ...options, leaseDurationMs: this.#times.leaseDurationMs }, deps);
    const initial: LeaderState = { kind: 'idle' };
    this.#machine = createStateMachine<LeaderState>({ name: this.name, initial, moves }, { log });
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error) => log.error('leader election failed', { error }) },
    );
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    this.failed = promise;
    this.#fail = reject;
  }

  get state(): LeaderState {
    return this.#machine.current;
  }

  get leader(): string | undefined {
    return this.#lock.holder;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#machine.move({ kind: 'following' });
    this.#tasks.run('campaign', (inner) => this.#campaign(inner));
  }

  /** Ends the work, if it leads, and then gives the Lease up, so that another takes over at once. */
  async stop(): Promise<void> {
    await this.#tasks.stop();
    if (this.state.kind !== 'stopped') this.#machine.move({ kind: 'stopped' });
  }

  async #campaign(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    for (;;) {
      const won = await this.#claim(this.#times.renewDeadlineMs, signal);
      if (won) await this.#lead(signal);
      await clock.sleep(this.#times.retryMs * (1 + jitterFactor * random()), signal);
    }
  }

  /** One attempt, at most half the renew deadline long, so that one that hangs is not the last. */
  async #claim(leftMs: number, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#deps;
    const sentAtMs = clock.monotonicMs();
    const timeoutMs = Math.min(leftMs, this.#times.renewDeadlineMs / 2);
    try {
      const held = await withDeadline({ what: 'claiming the Lease', timeoutMs, signal }, clock, (inner) =>
        this.#lock.claim(inner),
      );
      if (held) this.#renewedAtMs = sentAtMs;
      return held;
    } catch (error) {
      signal.throwIfAborted();
      this.#log.warn('the Lease cannot be claimed or renewed', { error });
      return false;
    }
  }

  async #lead(signal: AbortSignal): Promise<void> {
    using term = scoped(signal);
    const service = this.#deps.work();
    this.#machine.move({ kind: 'leading' });
    const started = service.start(term.signal).catch((error: unknown) => {
      if (!term.signal.aborted) this.#log.error('the work of the leader did not start', { error });
      term.abort(error);
    });
    try {
      await this.#keep(term.signal);
      this.#log.warn('no longer the leader', { leader: this.leader });
    } catch (error) {
      if (!term.signal.aborted) throw error;
    } finally {
      term.abort();
      await this.#resign(service, started);
    }
  }

  /** Renews until that fails for too long, or the Lease is another's. */
  async #keep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const leftMs = (): number => this.#renewedAtMs + this.#times.renewDeadlineMs - clock.monotonicMs();
    while (leftMs() > 0) {
      await clock.sleep(Math.min(this.#times.retryMs, leftMs()), signal);
      const held = leftMs() > 0 && (await this.#claim(leftMs(), signal));
      if (!held && this.leader !== this.#identity) return;
    }
  }

  /** Ends the work before the others may think that the Lease has expired, and only then gives it up. */
  async #resign(service: Service, started: Promise<void>): Promise<void> {
    const { clock } = this.#deps;
    const ends = this.#renewedAtMs + this.#times.leaseDurationMs;
    const within = { what: `ending ${service.name}`, timeoutMs: Math.max(0, ends - clock.monotonicMs()) };
    try {
      await withDeadline(within, clock, async () => {
        await service.stop();
        await started;
      });
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      this.#machine.move({ kind: 'following' });
    }
    await this.#release();
  }

  async #release(): Promise<void> {
    const timeoutMs = this.#times.renewDeadlineMs / 2;
    try {
      await withDeadline({ what: 'giving the Lease up', timeoutMs }, this.#deps.clock, (signal) =>
        this.#lock.release(signal),
      );
    } catch (error) {
      this.#log.warn('the Lease could not be given up, it will expire', { error });
    }
  }
}

/**
 * Leader election over a Lease with the semantics and defaults of client-go: a leader that cannot renew ends its work
 * after `renewDeadlineMs`, another may begin `leaseDurationMs` after it last saw the Lease change. Durations are
 * measured on each machine's monotonic clock, so clocks may be apart; only a machine that is frozen for longer than the
 * difference of the two can overlap with its successor. Source: client-go `tools/leaderelection`.
 */
export function createLeaderElection(
  options: LeaderElectionOptions,
  deps: LeaderElectionDeps,
): LeaderElection {
  return new LeaseElection(options, deps);
}
