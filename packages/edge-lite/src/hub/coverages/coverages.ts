import {
  createTaskGroup,
  hasCode,
  limitRepeats,
  scoped,
  type Logger,
  type MetricsRegistry,
} from '@selvedge/kit';
import type { Access } from '../access/types.ts';
import type { CoverageSpec } from '../replica/types.ts';
import type { Caller } from '../request.ts';
import { Hold } from './hold.ts';
import { Keeper, type KeeperDeps, type KeeperOptions } from './keeper.ts';
import { registerCoverageMetrics } from './metrics.ts';
import { quietLog } from './quiet-log.ts';
import { Rights, type RightsOptions } from './rights.ts';
import type { Kept } from './shelf.ts';
import { specKey } from './spec.ts';
import type { SponsorTokens } from './sponsor-token.ts';
import { isSameSponsor, sponsorOf } from './sponsors.ts';
import type { Coverage, CoverageHold, Coverages, Sponsor } from './types.ts';
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

  async join(spec: CoverageSpec, caller: Caller, signal: AbortSignal): Promise<CoverageHold> {
    using scope = scoped(signal, this.#tasks.signal);
    scope.signal.throwIfAborted();
    if (this.#find(spec, caller) === undefined) {
      this.#uplink.reach.throwIfAborted();
      // For the node upstream's own answer to the list-watch is the proof.
      if (caller.kind !== 'node') await this.#rights.check({ caller, spec }, scope.signal);
    }
    const kept = this.#find(spec, caller) ?? this.#keeper.open(spec);
    const hold = this.#hold(kept, spec, caller);
    try {
      kept.coverage.want(sponsorOf(caller));
      await this.#admit(hold, scope.signal);
      return hold;
    } catch (error) {
      hold[Symbol.dispose]();
      const { record, running } = kept.coverage;
      if (!record.synced && running === undefined && kept.holds.size === 0) this.#keeper.drop(kept);
      throw error;
    }
  }

  #find(spec: CoverageSpec, caller: Caller): Kept | undefined {
    return this.#keeper.shelf.find(spec, { own: sponsorOf(caller), offline: this.#uplink.reach.aborted });
  }

  async #admit({ coverage, spec, caller }: Hold, signal: AbortSignal): Promise<void> {
    if (!coverage.record.synced) {
      using reachable = scoped(signal, this.#uplink.reach);
      await coverage.whenAccepted(reachable.signal);
    }
    const isRunner = isSameSponsor(coverage.running, sponsorOf(caller));
    // A watch says how it was when it was opened: good enough for the node, whose own it is, and where nobody can tell.
    if (isRunner && caller.kind === 'node') return;
    try {
      await this.#rights.check({ caller, spec }, signal);
    } catch (error) {
      if (!isRunner || !hasCode(error, 'Unavailable')) throw error;
    }
  }

  #hold(kept: Kept, spec: CoverageSpec, caller: Caller): Hold {
    const { coverage, holds, idleness } = kept;
    const hold = new Hold({ coverage, spec, caller, left: (one) => void holds.delete(one) });
    holds.add(hold);
    idleness.reset();
    return hold;
  }

  /** Whose identity was proof enough must be proven otherwise now. */
  #refused(kept: Kept, sponsor: Sponsor, error: unknown): void {
    this.#log.debug('sponsor refused', { coverage: specKey(kept.coverage.record), sponsor, error });
    if (sponsor.kind === 'pod' && hasCode(error, 'Unauthenticated')) this.#deps.sponsorTokens.forget(sponsor);
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
