import {
  SelvedgeError,
  createTaskGroup,
  hasCode,
  limitRepeats,
  scoped,
  type Logger,
  type MetricsRegistry,
} from '@selvedge/kit';
import type { Access } from '../access/types.ts';
import type { CoverageSpec } from '../replica/types.ts';
import { Hold } from './hold.ts';
import { Keeper, type KeeperDeps, type KeeperOptions } from './keeper.ts';
import { registerCoverageMetrics } from './metrics.ts';
import { quietLog } from './quiet-log.ts';
import { Rights, type RightsOptions } from './rights.ts';
import type { Kept } from './shelf.ts';
import { specKey } from './spec.ts';
import type { SponsorTokens } from './sponsor-token.ts';
import { isSameSponsor, sponsorOf } from './sponsors.ts';
import type { Coverage, CoverageHold, Coverages, Sponsor, Wish } from './types.ts';
import { runUpkeep } from './upkeep.ts';
import { type Uplink, type UplinkDeps, createUplink } from './uplink.ts';

export interface CoveragesOptions extends KeeperOptions, RightsOptions {}

export interface CoveragesDeps extends Omit<KeeperDeps, 'clientOf' | 'refused' | 'uplink'> {
  readonly upstream: UplinkDeps['upstream'] & { readonly clientOf: KeeperDeps['clientOf'] };
  readonly access: Pick<Access, 'authorize' | 'reauthorize' | 'onWithdrawn'>;
  /** See `UplinkDeps`. */
  readonly ready: UplinkDeps['ready'];
  readonly sponsorTokens: Pick<SponsorTokens, 'forget'>;
  readonly metrics: MetricsRegistry;
}

const repeatWindowMs = 60_000;

class KeptCoverages implements Coverages {
  readonly name = 'coverages';
  readonly #options: CoveragesOptions;
  readonly #deps: CoveragesDeps;
  readonly #log: Logger;
  readonly #uplink: Uplink;
  readonly #keeper: Keeper;
  readonly #rights: Rights;
  readonly #tasks;
  #withdrawals: Disposable | undefined;

  constructor(options: CoveragesOptions, deps: CoveragesDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#log = quietLog(limitRepeats({ windowMs: repeatWindowMs }, deps));
    this.#uplink = createUplink(deps);
    this.#keeper = new Keeper(options, {
      ...deps,
      uplink: this.#uplink,
      clientOf: (sponsor) => deps.upstream.clientOf(sponsor),
      refused: (kept, sponsor, error) => this.#refused(kept, sponsor, error),
      log: this.#log,
    });
    this.#rights = new Rights(options, { ...deps, log: this.#log });
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error, task) => deps.log.error('coverages task failed', { task, error }) },
    );
    registerCoverageMetrics(deps.metrics, () => this.#keeper.shelf.values());
  }

  get all(): readonly Coverage[] {
    return Array.from(this.#keeper.shelf.values(), ({ coverage }) => coverage);
  }

  covering(spec: CoverageSpec): Coverage | undefined {
    return this.#keeper.shelf.covering(spec)?.coverage;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#keeper.resume();
    this.#withdrawals = this.#deps.access.onWithdrawn(({ username }) => {
      this.#recheck('withdrawn', ({ caller }) => caller.user.username === username);
    });
    this.#uplink.start();
    const look = (passedMs: number): void => {
      this.#recheck('recheck', (hold) => hold.caller.kind !== 'node' && this.#rights.isDue(hold));
      if (this.#uplink.online) this.#keeper.age(passedMs);
    };
    this.#tasks.run('upkeep', (inner) => runUpkeep(this.#options, { ...this.#deps, look }, inner));
  }

  async stop(): Promise<void> {
    this.#withdrawals?.[Symbol.dispose]();
    await this.#uplink.stop();
    await this.#tasks.stop();
    await this.#keeper.stop();
  }

  async join(wish: Wish, signal: AbortSignal): Promise<CoverageHold> {
    using scope = scoped(signal, this.#tasks.signal);
    scope.signal.throwIfAborted();
    const { spec, caller } = wish;
    if (this.#find(wish) === undefined) {
      this.#uplink.reach.throwIfAborted();
      // For the node upstream's own answer to the list-watch is the proof.
      if (caller.kind !== 'node') await this.#rights.check(wish, scope.signal);
    }
    const sponsor = await this.#sponsorIn(wish, scope.signal);
    const kept = this.#find(wish) ?? this.#keeper.open(spec, caller);
    const hold = this.#hold(kept, wish);
    try {
      kept.coverage.want(sponsor);
      await this.#accepted(hold, sponsor, scope.signal);
      await this.#admit(hold, scope.signal);
      return hold;
    } catch (error) {
      hold[Symbol.dispose]();
      const { record, running } = kept.coverage;
      if (!record.synced && running === undefined && kept.holds.size === 0) this.#keeper.drop(kept);
      throw error;
    }
  }

  #find({ spec, caller }: Wish): Kept | undefined {
    return this.#keeper.shelf.find(spec, { own: sponsorOf(caller), offline: this.#uplink.reach.aborted });
  }

  /** The caller, if he may run it: that takes both verbs, whichever he uses. */
  async #sponsorIn({ spec, caller }: Wish, signal: AbortSignal): Promise<Sponsor | undefined> {
    const own = sponsorOf(caller);
    if (own === undefined || caller.kind === 'node') return own;
    try {
      await this.#rights.check({ spec, caller }, signal);
    } catch (error) {
      if (hasCode(error, 'Forbidden')) return undefined;
      if (!hasCode(error, 'Unavailable')) throw error;
    }
    return own;
  }

  async #accepted({ coverage }: Hold, sponsor: Sponsor | undefined, signal: AbortSignal): Promise<void> {
    if (coverage.record.synced) return;
    using reachable = scoped(signal, this.#uplink.reach);
    try {
      await coverage.whenAccepted(reachable.signal);
    } catch (cause) {
      // Others were refused, not he who asks.
      if (sponsor !== undefined || !hasCode(cause, 'Forbidden', 'Unauthenticated')) throw cause;
      const message = `nobody here may run ${specKey(coverage.record)}`;
      throw new SelvedgeError(message, { code: 'Unavailable', cause });
    }
  }

  async #admit(hold: Hold, signal: AbortSignal): Promise<void> {
    const { coverage, caller } = hold;
    const isRunner = isSameSponsor(coverage.running, sponsorOf(caller));
    // A watch says how it was when it was opened: good enough for the node, whose own it is, and where nobody can tell.
    if (isRunner && caller.kind === 'node') return;
    try {
      await this.#rights.check(hold, signal);
    } catch (error) {
      if (!isRunner || !hasCode(error, 'Unavailable')) throw error;
    }
  }

  #hold(kept: Kept, wish: Wish): Hold {
    const { clock } = this.#deps;
    const { coverage, holds, idleness } = kept;
    const left = (one: Hold): void => {
      if (holds.delete(one)) idleness.used(clock.monotonicMs() - one.sinceMs);
    };
    const hold = new Hold({ coverage, wish, sinceMs: clock.monotonicMs(), left });
    holds.add(hold);
    idleness.reset();
    return hold;
  }

  /** Whose identity was proof enough must be proven otherwise now. */
  #refused(kept: Kept, sponsor: Sponsor, error: unknown): void {
    this.#log.debug('sponsor refused', { coverage: specKey(kept.coverage.record), sponsor, error });
    if (sponsor.kind === 'pod' && hasCode(error, 'Unauthenticated')) this.#deps.sponsorTokens.forget(sponsor);
    // A node certificate that is no good any more is no question of rights.
    if (sponsor.kind === 'node' && hasCode(error, 'Unauthenticated')) return;
    if (!kept.coverage.record.synced) return;
    this.#recheck(
      'refused',
      (hold) => kept.holds.has(hold) && isSameSponsor(sponsorOf(hold.caller), sponsor),
    );
  }

  #recheck(why: string, concerns: (hold: Hold) => boolean): void {
    const holds = Array.from(this.#keeper.shelf.values(), (kept) => [...kept.holds])
      .flat()
      .filter(concerns);
    if (holds.length === 0 || this.#uplink.reach.aborted) return;
    this.#tasks.run(why, (signal) => this.#rights.recheck(holds, signal));
  }
}

/**
 * Does nothing before its start, which waits for no network: what an earlier run held is resumed from where it was, in
 * the background.
 */
export function createCoverages(options: CoveragesOptions, deps: CoveragesDeps): Coverages {
  return new KeptCoverages(options, deps);
}
