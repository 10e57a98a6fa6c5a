import {
  createStateMachine,
  createTaskGroup,
  hasCode,
  messageOf,
  raceAbort,
  type Clock,
  type Limiter,
  type Logger,
  type Random,
  type StateMachine,
} from '@selvedge/kit';
import { createReflector, type KubeMetrics, type KubeObject, type Reflector } from '@selvedge/kube';
import type { ReflectorState } from '@selvedge/kube';
import type { CoverageRecord, Replica } from '../replica/types.ts';
import { resourceParts } from '../request-info/index.ts';
import type { FirstContact } from './first-contact.ts';
import { createOutcome } from './outcome.ts';
import { createReplicaStore, type ReplicaStore } from './replica-store.ts';
import { listedResource, specKey } from './spec.ts';
import { SponsoredClient, type ListWatchClient } from './sponsored-client.ts';
import { isSameSponsor, sponsorOrder } from './sponsors.ts';
import type { Coverage, CoverageState, Sponsor } from './types.ts';
import type { Uplink } from './uplink.ts';

export interface ListWatchOptions {
  readonly record: CoverageRecord;
  /** Who may run it beside the node. */
  readonly sponsors: readonly Sponsor[];
  /** Who ran it last, in an earlier run. */
  readonly running: Sponsor | undefined;
  /** See `ReflectorOptions`. */
  readonly watchTimeoutSeconds: number;
  /** How long nobody is asked again after all have refused, in milliseconds. */
  readonly refusedMs: number;
}

export interface ListWatchDeps {
  readonly replica: Pick<Replica, 'apply' | 'relist'>;
  readonly uplink: Pick<Uplink, 'opened'>;
  readonly clientOf: (sponsor: Sponsor) => ListWatchClient;
  readonly firstContact: FirstContact;
  readonly opening: Limiter;
  /** Told when its sponsors, or the one who runs it, are others now. */
  readonly sponsorsChanged: () => void;
  /** Told when upstream refused a sponsor. */
  readonly refused: (sponsor: Sponsor, error: unknown) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
}

/** A resumed watch that was accepted and said nothing for so long has nothing to say that is older. */
const confirmMs = 1_000;

/** The one that wanted it first is forgotten for one more. */
const maxSponsors = 16;

const text = (value: string): string | undefined => (value === '' ? undefined : value);

const moves = {
  filling: ['live', 'stale', 'suspended'],
  live: ['stale', 'suspended'],
  stale: ['live', 'suspended'],
  suspended: ['filling', 'live', 'stale', 'suspended'],
} as const;

/** One upstream list-watch: its sponsors, its state, its way into the replica. */
export class ListWatchCoverage implements Coverage {
  readonly #record: CoverageRecord;
  readonly #deps: ListWatchDeps;
  readonly #machine: StateMachine<CoverageState>;
  readonly #store: ReplicaStore;
  readonly #client: SponsoredClient;
  readonly #reflector: Reflector;
  readonly #tasks;
  readonly #accepted;
  readonly #complete;
  readonly #sponsors: Sponsor[];
  #following = Promise.withResolvers<void>();
  #running: Sponsor | undefined;
  #synced: boolean;
  /** Counts the times that following began or ended, so that a late confirmation is told apart. */
  #round = 0;
  #heard = false;

  constructor(options: ListWatchOptions, deps: ListWatchDeps) {
    const { record } = options;
    this.#record = record;
    this.#deps = deps;
    this.#sponsors = [...options.sponsors];
    this.#running = options.running;
    this.#synced = record.synced;
    this.#accepted = createOutcome(record.synced);
    this.#complete = createOutcome(record.synced);
    const log = deps.log.with({ coverage: specKey(record) });
    const stale = { kind: 'stale', sinceMs: deps.clock.now() } as const;
    this.#machine = createStateMachine<CoverageState>(
      { name: 'coverage', initial: record.synced ? stale : { kind: 'filling' }, moves },
      { log, onMove: (from, to) => this.#moved(from, to) },
    );
    this.#tasks = createTaskGroup(
      { name: `coverage ${specKey(record)}` },
      { onFailure: (error) => log.error('coverage task failed', { error }) },
    );
    this.#store = createReplicaStore(record, { replica: deps.replica, heard: (what) => this.#hear(what) });
    this.#client = this.#createClient(options);
    this.#reflector = this.#createReflector(options, log);
  }

  get record(): CoverageRecord {
    const { upstreamVersion } = this.#store;
    return { ...this.#record, upstreamVersion, synced: this.#synced };
  }

  get state(): CoverageState {
    return this.#machine.current;
  }

  get sponsors(): readonly Sponsor[] {
    return this.#sponsors;
  }

  /** Who runs it, or ran it last without having been refused since. */
  get running(): Sponsor | undefined {
    return this.#running;
  }

  whenSynced(signal: AbortSignal): Promise<void> {
    return this.#complete.wait(signal);
  }

  whenLive(signal: AbortSignal): Promise<void> {
    return raceAbort(this.#following.promise, signal);
  }

  /** Resolves once upstream lets somebody run it (at once if it was ever complete). Rejects with why not. */
  whenAccepted(signal: AbortSignal): Promise<void> {
    return this.#accepted.wait(signal);
  }

  /** Somebody wants it: a sponsor more, and the next attempt at once where all were refused. */
  want(sponsor: Sponsor | undefined): void {
    const isNew = sponsor !== undefined && !this.#sponsors.some((one) => isSameSponsor(one, sponsor));
    if (isNew) {
      this.#sponsors.push(sponsor);
      if (this.#sponsors.length > maxSponsors) this.#sponsors.shift();
      this.#deps.sponsorsChanged();
    }
    this.#client.retry();
  }

  /** The sponsor lost a right: upstream shall say whether this one, too. */
  doubt(sponsor: Sponsor | undefined): void {
    if (isSameSponsor(this.#running, sponsor)) this.#client.doubt();
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#reflector.start(signal);
  }

  /** Nothing of it is written from now on. */
  close(): void {
    this.#store.close();
  }

  async stop(): Promise<void> {
    this.close();
    await this.#reflector.stop();
    await this.#tasks.stop();
  }

  #createClient({ record, refusedMs }: ListWatchOptions): SponsoredClient {
    return new SponsoredClient(
      { spec: record, refusedMs },
      {
        ...this.#deps,
        sponsors: () => sponsorOrder(this.#sponsors, this.#running),
        accepted: (sponsor) => this.#accept(sponsor),
        refused: (sponsor, error) => this.#refuse(sponsor, error),
        rewound: () => this.#store.rewind(),
      },
    );
  }

  #createReflector({ record, watchTimeoutSeconds }: ListWatchOptions, log: Logger): Reflector {
    const { namespace, labelSelector, fieldSelector } = record;
    return createReflector<KubeObject>(
      {
        resource: listedResource(record.resource),
        metadataOnly: resourceParts(record.resource).metadataOnly,
        namespace: text(namespace),
        labelSelector: text(labelSelector),
        fieldSelector: text(fieldSelector),
        initialResourceVersion: text(record.upstreamVersion),
        watchTimeoutSeconds,
      },
      {
        ...this.#deps,
        client: this.#client,
        store: this.#store,
        log,
        metrics: this.#deps.kubeMetrics,
        onState: (state) => this.#follow(state),
      },
    );
  }

  #accept(sponsor: Sponsor): void {
    const changed = !isSameSponsor(this.#running, sponsor);
    this.#running = sponsor;
    this.#accepted.come();
    if (changed) this.#deps.sponsorsChanged();
  }

  #refuse(sponsor: Sponsor, error: unknown): void {
    if (isSameSponsor(this.#running, sponsor)) {
      this.#running = undefined;
      this.#deps.sponsorsChanged();
    }
    this.#deps.refused(sponsor, error);
  }

  #hear(what: 'complete' | 'change'): void {
    this.#heard = true;
    if (what === 'complete') {
      this.#synced = true;
      this.#complete.come();
    }
    if (this.#reflector.state.kind === 'watching') this.#live();
  }

  #follow(state: ReflectorState): void {
    if (state.kind === 'listing') {
      this.#heard = false;
      this.#behind();
    } else if (state.kind === 'watching') {
      this.#round += 1;
      const round = this.#round;
      if (this.#heard) this.#live();
      else this.#tasks.run('confirm', (signal) => this.#confirm(round, signal));
    } else if (state.kind === 'waiting') {
      this.#round += 1;
      this.#heard = false;
      this.#fail(state.error);
    }
  }

  #moved(from: CoverageState, to: CoverageState): void {
    if (to.kind === 'live') this.#following.resolve();
    else if (from.kind === 'live') this.#following = Promise.withResolvers();
  }

  async #confirm(round: number, signal: AbortSignal): Promise<void> {
    await this.#deps.clock.sleep(confirmMs, signal);
    if (round === this.#round) this.#live();
  }

  #live(): void {
    if (this.state.kind !== 'live') this.#machine.move({ kind: 'live' });
  }

  /** Not as current as the link any more. */
  #behind(): void {
    const next: CoverageState = this.#synced
      ? { kind: 'stale', sinceMs: this.#deps.clock.now() }
      : { kind: 'filling' };
    if (this.state.kind !== next.kind) this.#machine.move(next);
  }

  #fail(error: unknown): void {
    if (hasCode(error, 'Forbidden', 'Unauthenticated')) {
      this.#machine.move({ kind: 'suspended', reason: messageOf(error) });
    } else this.#behind();
    this.#accepted.refuse(error);
    if (!hasCode(error, 'Unavailable', 'DeadlineExceeded', 'Aborted')) this.#complete.refuse(error);
  }
}
