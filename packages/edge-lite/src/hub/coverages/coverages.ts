import {
  SelvedgeError,
  createLimiter,
  createTaskGroup,
  hasCode,
  limitRepeats,
  scoped,
  type Clock,
  type Limiter,
  type Logger,
  type MetricsRegistry,
  type Random,
} from '@selvedge/kit';
import type { KubeMetrics } from '@selvedge/kube';
import type { RuntimeRepository } from '../../store/index.ts';
import type { Access } from '../access/types.ts';
import type { CoverageRecord, CoverageSpec, Replica } from '../replica/types.ts';
import type { Caller } from '../request.ts';
import { type ExpiryOptions, Idleness, lifetimeMs } from './expiry.ts';
import { createFirstContact } from './first-contact.ts';
import { Hold } from './hold.ts';
import { ListWatchCoverage } from './list-watch.ts';
import { type CoverageMemory, createCoverageMemory } from './memory.ts';
import { quietLog } from './quiet-log.ts';
import { Rights, type RightsOptions } from './rights.ts';
import { CoverageShelf, type Covers, type Kept } from './shelf.ts';
import { specKey } from './spec.ts';
import { isSameSponsor, sponsorOf } from './sponsors.ts';
import { registerCoverageMetrics } from './metrics.ts';
import type { SponsorTokens } from './sponsor-token.ts';
import type { ListWatchClient } from './sponsored-client.ts';
import type { Coverage, CoverageHold, Coverages, Sponsor } from './types.ts';
import { runUpkeep } from './upkeep.ts';
import { type Uplink, type UplinkDeps, createUplink } from './uplink.ts';

export interface CoveragesOptions extends ExpiryOptions, RightsOptions {
  /** Default 500. One more takes the place of the one that nobody has held for longest, else `ResourceExhausted`. */
  readonly maxCoverages?: number;
  /** When upstream shall end a watch, in seconds: once to twice this long, at random. Default 1 h. */
  readonly watchTimeoutSeconds?: number;
  /** How long nobody is asked again after all sponsors were refused, in milliseconds. Default 60 s. */
  readonly refusedMs?: number;
}

export interface CoveragesDeps {
  readonly replica: Pick<Replica, 'apply' | 'relist' | 'coverages' | 'addCoverage' | 'dropCoverage'>;
  readonly upstream: UplinkDeps['upstream'] & { clientOf(sponsor: Sponsor): ListWatchClient };
  readonly access: Pick<Access, 'authorize' | 'reauthorize' | 'onWithdrawn'>;
  readonly covers: Covers;
  /** See `UplinkDeps`. */
  readonly ready: UplinkDeps['ready'];
  readonly documents: RuntimeRepository;
  readonly sponsorTokens: Pick<SponsorTokens, 'forget'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
  readonly metrics: MetricsRegistry;
}

const repeatWindowMs = 60_000;
/** Requests that are being opened at a time. */
const maxOpening = 16;

class KeptCoverages implements Coverages {
  readonly name = 'coverages';
  readonly #options: CoveragesOptions;
  readonly #deps: CoveragesDeps;
  readonly #log: Logger;
  readonly #shelf: CoverageShelf<Kept>;
  readonly #memory: CoverageMemory;
  readonly #uplink: Uplink;
  readonly #rights: Rights;
  readonly #tasks;
  readonly #firstContact = createFirstContact();
  readonly #opening: Limiter = createLimiter({ capacity: maxOpening });
  #withdrawals: Disposable | undefined;

  constructor(options: CoveragesOptions, deps: CoveragesDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#log = quietLog(limitRepeats({ windowMs: repeatWindowMs }, deps));
    this.#shelf = new CoverageShelf(deps.covers);
    this.#memory = createCoverageMemory(deps.documents);
    this.#uplink = createUplink(deps);
    this.#rights = new Rights(options, { ...deps, log: this.#log });
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error, task) => deps.log.error('coverages task failed', { task, error }) },
    );
    registerCoverageMetrics(deps.metrics, () => this.#shelf.values());
  }

  get all(): readonly Coverage[] {
    return Array.from(this.#shelf.values(), ({ coverage }) => coverage);
  }

  covering(spec: CoverageSpec): Coverage | undefined {
    return this.#shelf.covering(spec)?.coverage;
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    for (const record of this.#deps.replica.coverages()) this.#keep(record);
    this.#withdrawals = this.#deps.access.onWithdrawn(({ username }) => {
      this.#recheck('withdrawn', ({ caller }) => caller.user.username === username);
    });
    this.#uplink.start();
    const look = (passedMs: number): void => {
      this.#recheck('recheck', (hold) => hold.caller.kind !== 'node' && this.#rights.isDue(hold));
      this.#age(passedMs);
    };
    this.#tasks.run('upkeep', (inner) => runUpkeep(this.#options, { ...this.#deps, look }, inner));
  }

  async stop(): Promise<void> {
    this.#withdrawals?.[Symbol.dispose]();
    await this.#uplink.stop();
    await this.#tasks.stop();
    await Promise.all(Array.from(this.#shelf.values(), ({ coverage }) => coverage.stop()));
  }

  async join(spec: CoverageSpec, caller: Caller, signal: AbortSignal): Promise<CoverageHold> {
    using scope = scoped(signal, this.#tasks.signal);
    scope.signal.throwIfAborted();
    if (this.#find(spec, caller) === undefined) {
      this.#uplink.reach.throwIfAborted();
      // For the node upstream's own answer to the list-watch is the proof.
      if (caller.kind !== 'node') await this.#rights.check({ caller, spec }, scope.signal);
    }
    const kept = this.#find(spec, caller) ?? this.#open(spec);
    const hold = this.#hold(kept, spec, caller);
    try {
      kept.coverage.want(sponsorOf(caller));
      await this.#admit(hold, scope.signal);
      return hold;
    } catch (error) {
      hold[Symbol.dispose]();
      const { record, running } = kept.coverage;
      if (!record.synced && running === undefined && kept.holds.size === 0) this.#drop(kept);
      throw error;
    }
  }

  #find(spec: CoverageSpec, caller: Caller): Kept | undefined {
    return this.#shelf.find(spec, { own: sponsorOf(caller), offline: this.#uplink.reach.aborted });
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

  #open(spec: CoverageSpec): Kept {
    const { maxCoverages = 500 } = this.#options;
    if (this.#shelf.size >= maxCoverages) {
      const idlest = this.#shelf.idlest();
      if (idlest === undefined) {
        const message = `${maxCoverages} coverages are held already: none is left for ${specKey(spec)}`;
        throw new SelvedgeError(message, { code: 'ResourceExhausted' });
      }
      this.#drop(idlest);
    }
    return this.#keep(this.#deps.replica.addCoverage(spec));
  }

  #keep(record: CoverageRecord): Kept {
    const { watchTimeoutSeconds = 3_600, refusedMs = 60_000 } = this.#options;
    const { sponsors, running, unusedMs } = this.#memory.get(record);
    const { upstream } = this.#deps;
    const coverage: ListWatchCoverage = new ListWatchCoverage(
      { record, sponsors, running, watchTimeoutSeconds, refusedMs },
      {
        ...this.#deps,
        uplink: this.#uplink,
        clientOf: (sponsor) => upstream.clientOf(sponsor),
        firstContact: this.#firstContact,
        opening: this.#opening,
        log: this.#log,
        sponsorsChanged: () => this.#save(kept),
        refused: (sponsor, error) => this.#refused(kept, sponsor, error),
      },
    );
    const idleness = new Idleness(lifetimeMs(record, this.#options), unusedMs);
    const kept: Kept = { coverage, holds: new Set(), idleness };
    this.#shelf.add(kept);
    this.#tasks.run(specKey(record), (signal) => coverage.start(signal));
    return kept;
  }

  #save(kept: Kept): void {
    const { sponsors, running, record } = kept.coverage;
    if (!this.#shelf.has(kept)) return;
    this.#memory.put(record, {
      sponsors,
      unusedMs: kept.idleness.unusedMs,
      ...(running === undefined ? {} : { running }),
    });
  }

  #drop(kept: Kept): void {
    const { coverage } = kept;
    const { record } = coverage;
    this.#shelf.delete(kept);
    coverage.close();
    this.#deps.replica.dropCoverage(record.id);
    this.#memory.forget(record);
    this.#log.debug('coverage dropped', { coverage: specKey(record) });
    this.#tasks.run(`end of ${specKey(record)}`, () => coverage.stop());
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
    const holds = Array.from(this.#shelf.values(), (kept) => [...kept.holds])
      .flat()
      .filter(concerns);
    if (holds.length === 0 || this.#uplink.reach.aborted) return;
    this.#tasks.run(why, (signal) => this.#rights.recheck(holds, signal));
  }

  /** Time has passed; only what passed while online counts. */
  #age(ms: number): void {
    if (!this.#uplink.online) return;
    for (const kept of this.#shelf.values()) {
      const { coverage, holds, idleness } = kept;
      if (holds.size === 0) idleness.pass(ms);
      else idleness.reset();
      const vain = !coverage.record.synced && coverage.state.kind === 'suspended';
      if (holds.size === 0 && (idleness.expired || vain)) this.#drop(kept);
      else if (idleness.toSave() !== undefined) this.#save(kept);
    }
  }
}

/**
 * Does nothing before its start, which waits for no network: what an earlier run held is resumed from where it was, in
 * the background.
 */
export function createCoverages(options: CoveragesOptions, deps: CoveragesDeps): Coverages {
  return new KeptCoverages(options, deps);
}
