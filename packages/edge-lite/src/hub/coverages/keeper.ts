import {
  SelvedgeError,
  createLimiter,
  createTaskGroup,
  type Clock,
  type Limiter,
  type Logger,
  type Random,
} from '@selvedge/kit';
import type { KubeMetrics } from '@selvedge/kube';
import type { RuntimeRepository } from '../../store/index.ts';
import type { CoverageRecord, CoverageSpec, Replica } from '../replica/types.ts';
import type { Caller } from '../request.ts';
import { type ExpiryOptions, Idleness, lifetimesOf } from './expiry.ts';
import { createFirstContact } from './first-contact.ts';
import { ListWatchCoverage } from './list-watch.ts';
import { type CoverageMemory, createCoverageMemory } from './memory.ts';
import { CoverageShelf, type Covers, type Kept } from './shelf.ts';
import { specKey } from './spec.ts';
import type { ListWatchClient } from './sponsored-client.ts';
import type { Sponsor } from './types.ts';
import type { Uplink } from './uplink.ts';

export interface KeeperOptions extends ExpiryOptions {
  /** Default 500. One more takes the place of the one that nobody has held for longest, else `ResourceExhausted`. */
  readonly maxCoverages?: number;
  /** Of these, opened by one user; the node's own and those of configured clients do not count. Default 128. */
  readonly maxCoveragesPerUser?: number;
  /** When upstream shall end a watch, in seconds: once to twice this long, at random. Default 1 h. */
  readonly watchTimeoutSeconds?: number;
  /** How long nobody is asked again after all sponsors were refused, in milliseconds. Default 60 s. */
  readonly refusedMs?: number;
}

export interface KeeperDeps {
  readonly replica: Pick<
    Replica,
    'apply' | 'relist' | 'reader' | 'coverages' | 'addCoverage' | 'dropCoverage'
  >;
  readonly uplink: Pick<Uplink, 'opened'>;
  readonly clientOf: (sponsor: Sponsor) => ListWatchClient;
  readonly covers: Covers;
  readonly documents: RuntimeRepository;
  readonly refused: (kept: Kept, sponsor: Sponsor, error: unknown) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
}

/** Who has a cap of his own: not the node, nor the clients in the config, which are parts of it. */
const ownerOf = ({ kind, user }: Caller): string | undefined =>
  kind === 'node' || kind === 'configured' ? undefined : user.username;

/** Requests that are being opened at a time. */
const maxOpening = 16;

/** Opens coverages, keeps them over restarts, and lets them go. */
export class Keeper {
  readonly shelf: CoverageShelf<Kept>;
  readonly #options: KeeperOptions;
  readonly #deps: KeeperDeps;
  readonly #memory: CoverageMemory;
  readonly #tasks;
  readonly #firstContact = createFirstContact();
  readonly #opening: Limiter = createLimiter({ capacity: maxOpening });

  constructor(options: KeeperOptions, deps: KeeperDeps) {
    this.#options = options;
    this.#deps = deps;
    this.shelf = new CoverageShelf(deps.covers);
    this.#memory = createCoverageMemory(deps.documents);
    this.#tasks = createTaskGroup(
      { name: 'coverages' },
      { onFailure: (error, task) => deps.log.error('coverage failed', { coverage: task, error }) },
    );
  }

  /** Goes on with what an earlier run held. */
  resume(): void {
    for (const record of this.#deps.replica.coverages()) this.#keep(record);
  }

  async stop(): Promise<void> {
    await this.#tasks.stop();
    await Promise.all(Array.from(this.shelf.values(), ({ coverage }) => coverage.stop()));
  }

  open(spec: CoverageSpec, caller: Caller): Kept {
    const { maxCoverages = 500, maxCoveragesPerUser = 128 } = this.#options;
    const owner = ownerOf(caller);
    const isOwn = ({ openedBy }: Kept): boolean => openedBy === owner;
    const own = owner === undefined ? 0 : [...this.shelf.values()].filter(isOwn).length;
    if (own >= maxCoveragesPerUser) this.#makeRoom(spec, isOwn);
    // Others do not push out what the node needs.
    const mayGo = ({ openedBy }: Kept): boolean => owner === undefined || openedBy !== undefined;
    if (this.shelf.size >= maxCoverages) this.#makeRoom(spec, mayGo);
    return this.#keep(this.#deps.replica.addCoverage(spec), { owner });
  }

  drop(kept: Kept): void {
    const { coverage } = kept;
    const { record } = coverage;
    if (!this.shelf.has(kept)) return;
    this.shelf.delete(kept);
    coverage.close();
    this.#deps.replica.dropCoverage(record.id);
    this.#memory.forget(record);
    this.#deps.log.debug('coverage dropped', { coverage: specKey(record) });
    this.#tasks.run(`end of ${specKey(record)}`, () => coverage.stop());
  }

  /** Time has passed in which upstream was in reach. */
  age(ms: number): void {
    const now = this.#deps.clock.monotonicMs();
    for (const kept of this.shelf.values()) {
      const { coverage, holds, idleness } = kept;
      if (holds.size === 0) idleness.pass(ms);
      else idleness.reset(Math.max(...Array.from(holds, ({ sinceMs }) => now - sinceMs)));
      const vain = !coverage.record.synced && coverage.state.kind === 'suspended';
      if (holds.size === 0 && (idleness.expired || vain)) this.drop(kept);
      else if (idleness.toSave() !== undefined) this.#save(kept);
    }
  }

  #makeRoom(spec: CoverageSpec, mayGo: (kept: Kept) => boolean): void {
    const idlest = this.shelf.idlest(mayGo);
    if (idlest !== undefined) return this.drop(idlest);
    const message = `too many coverages are held already: none is left for ${specKey(spec)}`;
    throw new SelvedgeError(message, { code: 'ResourceExhausted' });
  }

  /** `opened`: by whom, if it is a new one. */
  #keep(record: CoverageRecord, opened?: { readonly owner: string | undefined }): Kept {
    const { watchTimeoutSeconds = 3_600, refusedMs = 60_000 } = this.#options;
    const remembered = this.#memory.get(record);
    const { sponsors, running, openedBy = opened?.owner } = remembered;
    const coverage: ListWatchCoverage = new ListWatchCoverage(
      { record, sponsors, running, watchTimeoutSeconds, refusedMs },
      {
        ...this.#deps,
        firstContact: this.#firstContact,
        opening: this.#opening,
        sponsorsChanged: () => this.#save(kept),
        suspended: () => this.#end(kept),
        refused: (sponsor, error) => this.#deps.refused(kept, sponsor, error),
      },
    );
    const { unusedMs, followed = opened === undefined } = remembered;
    const idleness = new Idleness(lifetimesOf(record, this.#options), { unusedMs, followed });
    const kept: Kept = { coverage, holds: new Set(), idleness, openedBy };
    this.shelf.add(kept);
    this.#tasks.run(specKey(record), (signal) => coverage.start(signal));
    return kept;
  }

  /** Its readers come again, and then run it themselves or are sent on. The node stays: it has nobody else to ask. */
  #end({ coverage, holds }: Kept): void {
    const message = `nobody may run ${specKey(coverage.record)} any more`;
    for (const hold of holds) {
      if (hold.caller.kind !== 'node') hold.revoke(new SelvedgeError(message, { code: 'Aborted' }));
    }
  }

  #save(kept: Kept): void {
    const { sponsors, running, record } = kept.coverage;
    if (!this.shelf.has(kept)) return;
    const { idleness, openedBy } = kept;
    const { unusedMs, followed } = idleness;
    this.#memory.put(record, {
      sponsors,
      unusedMs,
      followed,
      ...(running === undefined ? {} : { running }),
      ...(openedBy === undefined ? {} : { openedBy }),
    });
  }
}
