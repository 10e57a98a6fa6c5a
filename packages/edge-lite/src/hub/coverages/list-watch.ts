import type { Clock, Limiter, Logger, Random } from '@selvedge/kit';
import { createReflector, type KubeMetrics, type KubeObject, type Reflector } from '@selvedge/kube';
import type { CoverageRecord, Replica } from '../replica/types.ts';
import { resourceParts } from '../request-info/index.ts';
import type { FirstContact } from './first-contact.ts';
import { Progress } from './progress.ts';
import { createReplicaStore, type ReplicaStore } from './replica-store.ts';
import { listedResource, specKey } from './spec.ts';
import { SponsoredClient, type ListWatchClient } from './sponsored-client.ts';
import { isSameSponsor, sponsorOrder } from './sponsors.ts';
import type { Coverage, CoverageState, Sponsor } from './types.ts';
import type { Uplink } from './uplink.ts';
import { isWorthBookmarks } from './worth-bookmarks.ts';

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
  readonly replica: Pick<Replica, 'apply' | 'relist' | 'reader'>;
  readonly uplink: Pick<Uplink, 'opened'>;
  readonly clientOf: (sponsor: Sponsor) => ListWatchClient;
  readonly firstContact: FirstContact;
  readonly opening: Limiter;
  /** Told when its sponsors, or the one who runs it, are others now. */
  readonly sponsorsChanged: () => void;
  /** See `ProgressDeps`. */
  readonly suspended: () => void;
  /** Told when upstream refused a sponsor. */
  readonly refused: (sponsor: Sponsor, error: unknown) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly kubeMetrics: KubeMetrics;
}

/** The one that wanted it first is forgotten for one more. */
const maxSponsors = 16;

const text = (value: string): string | undefined => (value === '' ? undefined : value);

/** One upstream list-watch: its sponsors, its state, its way into the replica. */
export class ListWatchCoverage implements Coverage {
  readonly #record: CoverageRecord;
  readonly #deps: ListWatchDeps;
  readonly #progress: Progress;
  readonly #store: ReplicaStore;
  readonly #client: SponsoredClient;
  readonly #reflector: Reflector;
  readonly #sponsors: Sponsor[];
  #running: Sponsor | undefined;

  constructor(options: ListWatchOptions, deps: ListWatchDeps) {
    const { record } = options;
    const log = deps.log.with({ coverage: specKey(record) });
    this.#record = record;
    this.#deps = { ...deps, log };
    this.#sponsors = [...options.sponsors];
    this.#running = options.running;
    this.#progress = new Progress(record.synced, this.#deps);
    this.#store = createReplicaStore(record, {
      replica: deps.replica,
      heard: (what) => this.#progress.hear(what),
    });
    this.#client = this.#createClient(options);
    this.#reflector = this.#createReflector(options);
  }

  get record(): CoverageRecord {
    const { upstreamVersion } = this.#store;
    return { ...this.#record, upstreamVersion, synced: this.#progress.synced };
  }

  get state(): CoverageState {
    return this.#progress.state;
  }

  get sponsors(): readonly Sponsor[] {
    return this.#sponsors;
  }

  /** Who runs it, or ran it last without having been refused since. */
  get running(): Sponsor | undefined {
    return this.#running;
  }

  whenSynced(signal: AbortSignal): Promise<void> {
    return this.#progress.whenSynced(signal);
  }

  whenLive(signal: AbortSignal): Promise<void> {
    return this.#progress.whenLive(signal);
  }

  /** Resolves once upstream lets somebody run it (at once if it was ever complete). Rejects with why not. */
  whenAccepted(signal: AbortSignal): Promise<void> {
    return this.#progress.whenAccepted(signal);
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
    await this.#progress.stop();
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

  #createReflector({ record, watchTimeoutSeconds }: ListWatchOptions): Reflector {
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
        bookmarks: () => isWorthBookmarks(this.#deps.replica, record),
      },
      {
        ...this.#deps,
        client: this.#client,
        store: this.#store,
        metrics: this.#deps.kubeMetrics,
        onState: (state) => this.#progress.follow(state),
      },
    );
  }

  #accept(sponsor: Sponsor): void {
    const changed = !isSameSponsor(this.#running, sponsor);
    this.#running = sponsor;
    this.#progress.accept();
    if (changed) this.#deps.sponsorsChanged();
  }

  #refuse(sponsor: Sponsor, error: unknown): void {
    if (isSameSponsor(this.#running, sponsor)) {
      this.#running = undefined;
      this.#deps.sponsorsChanged();
    }
    this.#deps.refused(sponsor, error);
  }
}
