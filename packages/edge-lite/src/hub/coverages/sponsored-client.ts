import { SelvedgeError, createPoke, hasCode, jittered, scoped } from '@selvedge/kit';
import type { Clock, Limiter, Poke, Random, Scope } from '@selvedge/kit';
import type {
  KubeClient,
  KubeObject,
  ListOptions,
  ObjectList,
  Resource,
  Watch,
  WatchOptions,
} from '@selvedge/kube';
import type { CoverageSpec } from '../replica/types.ts';
import type { FirstContact } from './first-contact.ts';
import type { Sponsor } from './types.ts';
import type { Uplink } from './uplink.ts';

export type ListWatchClient = Pick<KubeClient, 'list' | 'watch'>;

export interface SponsoredClientOptions {
  readonly spec: CoverageSpec;
  /** How long nobody is asked again after all have refused, in milliseconds. */
  readonly refusedMs: number;
}

export interface SponsoredClientDeps {
  readonly uplink: Pick<Uplink, 'opened'>;
  readonly clientOf: (sponsor: Sponsor) => ListWatchClient;
  /** In the order in which they are tried. */
  readonly sponsors: () => readonly Sponsor[];
  readonly accepted: (sponsor: Sponsor) => void;
  readonly refused: (sponsor: Sponsor, error: unknown) => void;
  /** The held version turned out to be of a future that the cluster does not know. */
  readonly rewound: () => void;
  readonly firstContact: FirstContact;
  /** Bounds how many requests are being opened at a time, of all coverages. */
  readonly opening: Limiter;
  readonly clock: Clock;
  readonly random: Random;
}

/** Also credentials that are no good any more, be they of a pod that ended or of a node that could not renew its own. */
const isRefusal = (error: unknown): boolean => hasCode(error, 'Forbidden', 'Unauthenticated');

/** What a watch holds is let go of with it. */
function owned<T>(watch: Watch<T>, scope: Scope): Watch<T> {
  return {
    async *[Symbol.asyncIterator]() {
      try {
        yield* watch;
      } finally {
        scope[Symbol.dispose]();
      }
    },
    close() {
      scope[Symbol.dispose]();
      watch.close();
    },
  };
}

const lookTimeoutMs = 30_000;

/**
 * The list and watch verbs of one coverage: each call waits for the link, goes out with the credentials of the first
 * sponsor that is not refused, and ends when the link is lost. When all are refused, nobody is asked again for a while.
 */
export class SponsoredClient implements ListWatchClient {
  readonly #options: SponsoredClientOptions;
  readonly #deps: SponsoredClientDeps;
  readonly #poke: Poke;
  #refused = false;
  /** Of the watch that is open. */
  #open: Scope | undefined;
  /** The link on which upstream was heard. */
  #contact: AbortSignal | undefined;

  constructor(options: SponsoredClientOptions, deps: SponsoredClientDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#poke = createPoke(deps.clock);
  }

  /** Ends the wait after a refusal: somebody came who may run it, or who wants it. */
  retry(): void {
    if (this.#refused) this.#poke.poke();
  }

  /** Whoever runs it may have lost the right to: the watch is opened anew. */
  doubt(): void {
    this.#open?.abort(new SelvedgeError('a right was withdrawn', { code: 'Unavailable' }));
  }

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions<T>): Promise<ObjectList<T>> {
    const reach = await this.#opened(options.signal);
    using scope = scoped(options.signal, reach);
    const list = await this.#asSponsor(scope.signal, (client) =>
      client.list(resource, { ...options, signal: scope.signal }),
    );
    this.#contact = reach;
    return list;
  }

  async watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): Promise<Watch<T>> {
    const reach = await this.#opened(options.signal);
    const scope = scoped(options.signal, reach);
    try {
      const watch = await this.#asSponsor(scope.signal, async (client) => {
        const within = { ...options, signal: scope.signal };
        await this.#checkVersion(resource, within, { client, reach });
        return client.watch(resource, within);
      });
      this.#contact = reach;
      this.#open = scope;
      return owned(watch, scope);
    } catch (error) {
      scope[Symbol.dispose]();
      throw error;
    }
  }

  async #opened(signal: AbortSignal): Promise<AbortSignal> {
    if (this.#refused) {
      await this.#poke.wait(jittered(this.#options.refusedMs, this.#deps.random), signal);
    }
    return this.#deps.uplink.opened(signal);
  }

  async #asSponsor<T>(signal: AbortSignal, work: (client: ListWatchClient) => Promise<T>): Promise<T> {
    const { opening, clientOf, sponsors, accepted, refused } = this.#deps;
    let last: unknown;
    for (const sponsor of sponsors()) {
      try {
        const result = await opening.run(signal, () => work(clientOf(sponsor)));
        this.#refused = false;
        accepted(sponsor);
        return result;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        last = error;
        refused(sponsor, error);
      }
    }
    this.#refused = true;
    throw last;
  }

  /** Only of what was held before this link: later versions are of the cluster itself. */
  async #checkVersion(
    resource: Resource<KubeObject>,
    { resourceVersion: version, namespace, labelSelector, fieldSelector, signal }: WatchOptions,
    { client, reach }: { readonly client: ListWatchClient; readonly reach: AbortSignal },
  ): Promise<void> {
    const { firstContact, rewound } = this.#deps;
    if (version === undefined || this.#contact === reach) return;
    const page = { namespace, labelSelector, fieldSelector, limit: 1, timeoutMs: lookTimeoutMs, signal };
    const look = async (): Promise<string> =>
      (await client.list(resource, page)).metadata.resourceVersion ?? '';
    try {
      await firstContact.check({ resource: this.#options.spec.resource, version, reach, look });
    } catch (error) {
      if (hasCode(error, 'Gone')) rewound();
      throw error;
    }
  }
}
