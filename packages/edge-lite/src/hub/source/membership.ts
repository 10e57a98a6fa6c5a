import {
  createBackoff,
  createPoke,
  raceAbort,
  type Backoff,
  type Clock,
  type Logger,
  type Poke,
  type Random,
} from '@selvedge/kit';
import type { Coverage, Coverages } from '../coverages/types.ts';
import type { CoverageSpec } from '../replica/types.ts';
import type { Caller } from '../request.ts';
import type { Upstream } from '../upstream/types.ts';

export interface MembershipOptions {
  readonly spec: CoverageSpec;
  readonly caller: Caller;
}

export interface MembershipDeps {
  readonly coverages: Pick<Coverages, 'join'>;
  readonly upstream: Pick<Upstream, 'onConnectivity'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const bounds = { initialMs: 500, maxMs: 30_000, resetAfterMs: 30_000 };

/** Joins a coverage and stays in it, however often it has to be tried. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #deps: MembershipDeps;
  readonly #backoff: Backoff;
  readonly #poke: Poke;
  #joined = Promise.withResolvers<Coverage>();

  constructor(options: MembershipOptions, deps: MembershipDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#backoff = createBackoff(bounds, deps);
    this.#poke = createPoke(deps.clock);
  }

  /** Waits until it is in one. */
  coverage(signal: AbortSignal): Promise<Coverage> {
    return raceAbort(this.#joined.promise, signal);
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    using online = this.#deps.upstream.onConnectivity(({ kind }) => {
      if (kind === 'online') this.#poke.poke();
    });
    while (!signal.aborted) {
      try {
        await this.#stay(signal);
      } catch (error) {
        signal.throwIfAborted();
        const { resource, namespace, fieldSelector } = this.#options.spec;
        this.#deps.log.warn('not followed', { resource, namespace, fieldSelector, error });
        await this.#poke.wait(this.#backoff.nextDelayMs(), signal);
      }
    }
  }

  /** Ends by an error only: the signal's, or that of the right that was withdrawn. */
  async #stay(signal: AbortSignal): Promise<never> {
    const { spec, caller } = this.#options;
    using hold = await this.#deps.coverages.join({ spec, caller }, signal);
    this.#backoff.up();
    this.#joined.resolve(hold.coverage);
    const never = Promise.withResolvers<never>().promise;
    try {
      return await raceAbort(raceAbort(never, hold.revoked), signal);
    } finally {
      this.#joined = Promise.withResolvers();
    }
  }
}
