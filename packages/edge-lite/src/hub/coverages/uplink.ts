import { SelvedgeError, createTaskGroup, isAbort, raceAbort, scoped, type Logger } from '@selvedge/kit';
import type { Connectivity, Upstream } from '../upstream/types.ts';

export interface UplinkDeps {
  readonly upstream: Pick<Upstream, 'connectivity' | 'onConnectivity'>;
  /**
   * Resolves once what must go up before anything comes down has gone up, since the link came back: local changes are
   * replayed before clients see what upstream says of the same objects.
   */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
}

/** The link to the cloud as list-watches see it: closed, or open until it is lost. */
export interface Uplink {
  /** Aborts with `Unavailable` when the cloud gets out of reach; aborted while it is. */
  readonly reach: AbortSignal;
  readonly online: boolean;
  /** Waits for an open link, and gives the signal that aborts when it is lost. */
  opened(signal: AbortSignal): Promise<AbortSignal>;
  start(): void;
  stop(): Promise<void>;
}

function outOfReach(connectivity: Connectivity): SelvedgeError {
  const reason = connectivity.kind === 'offline' ? connectivity.reason : connectivity.kind;
  const details = { offlineSinceMs: connectivity.sinceMs };
  return new SelvedgeError(`the cloud is out of reach: ${reason}`, { code: 'Unavailable', details });
}

class ConnectivityUplink implements Uplink {
  readonly #deps: UplinkDeps;
  readonly #tasks;
  #subscription: Disposable | undefined;
  #reach = new AbortController();
  #open = Promise.withResolvers<void>();
  #state: 'closed' | 'opening' | 'open' = 'closed';

  constructor(deps: UplinkDeps) {
    this.#deps = deps;
    this.#tasks = createTaskGroup(
      { name: 'uplink' },
      { onFailure: (error) => deps.log.error('uplink task failed', { error }) },
    );
  }

  get reach(): AbortSignal {
    return this.#reach.signal;
  }

  get online(): boolean {
    return this.#deps.upstream.connectivity.kind === 'online';
  }

  async opened(signal: AbortSignal): Promise<AbortSignal> {
    while (this.#state !== 'open') await raceAbort(this.#open.promise, signal);
    return this.#reach.signal;
  }

  start(): void {
    const { upstream } = this.#deps;
    this.#subscription = upstream.onConnectivity((now) => this.#follow(now));
    this.#follow(upstream.connectivity);
  }

  async stop(): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    await this.#tasks.stop();
  }

  #follow(now: Connectivity): void {
    if (now.kind === 'offline') return this.#lose(now);
    if (this.#reach.signal.aborted) this.#reach = new AbortController();
    if (now.kind !== 'online' || this.#state !== 'closed') return;
    this.#state = 'opening';
    const reach = this.#reach;
    this.#tasks.run('open', (signal) => this.#prepare(reach, signal));
  }

  #lose(now: Connectivity): void {
    if (this.#state === 'open') this.#open = Promise.withResolvers();
    this.#state = 'closed';
    this.#reach.abort(outOfReach(now));
  }

  async #prepare(reach: AbortController, signal: AbortSignal): Promise<void> {
    using scope = scoped(signal, reach.signal);
    try {
      await raceAbort(this.#deps.ready(scope.signal), scope.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (reach.signal.aborted || isAbort(error)) return;
      this.#deps.log.error('what goes up first failed', { error });
    }
    if (this.#reach !== reach || reach.signal.aborted) return;
    this.#state = 'open';
    this.#open.resolve();
  }
}

export function createUplink(deps: UplinkDeps): Uplink {
  return new ConnectivityUplink(deps);
}
