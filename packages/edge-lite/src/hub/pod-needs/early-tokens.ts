import {
  type Clock,
  type Logger,
  type Random,
  type TaskGroup,
  createTaskGroup,
  jittered,
  messageOf,
} from '@selvedge/kit';
import type { TokenQuery, TokenSource } from '../../pods/index.ts';
import type { PodTokens } from '../tokens/index.ts';
import type { Upstream } from '../upstream/types.ts';

export interface EarlyTokensOptions {
  /** How long a pod's own kubelet may take to ask, in milliseconds. */
  readonly patienceMs: number;
}

export interface EarlyTokensDeps {
  /** What the pods of this node need now. */
  readonly wanted: () => Iterable<TokenQuery>;
  readonly kept: Pick<PodTokens, 'has'>;
  /** By way of the hub, which keeps what it hears. */
  readonly tokens: TokenSource;
  readonly upstream: Pick<Upstream, 'connectivity'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const keyOf = ({ pod, serviceAccount, audiences }: TokenQuery): string =>
  JSON.stringify([pod.uid, serviceAccount, audiences]);

/**
 * Asks for the tokens of pods whose kubelet did not: one that is started in a cut finds them. One for each, never renewed:
 * offline the hub takes it past its end, and online the kubelet asks itself.
 */
export class EarlyTokens {
  readonly #options: EarlyTokensOptions;
  readonly #deps: EarlyTokensDeps;
  readonly #tasks: TaskGroup;
  /** Those that were missing at the last look. */
  #missing = new Set<string>();

  constructor(options: EarlyTokensOptions, deps: EarlyTokensDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#tasks = createTaskGroup(
      { name: 'early tokens' },
      { onFailure: (error) => deps.log.error('tokens are not asked for any more', { error }) },
    );
  }

  start(): void {
    this.#tasks.run('look', (signal) => this.#run(signal));
  }

  async stop(): Promise<void> {
    await this.#tasks.stop();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random, upstream } = this.#deps;
    for (;;) {
      if (upstream.connectivity.kind === 'online') await this.#look(signal);
      await clock.sleep(jittered(this.#options.patienceMs, random), signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { wanted, kept } = this.#deps;
    const before = this.#missing;
    const missing = [...wanted()].filter((query) => !kept.has(query));
    this.#missing = new Set(missing.map(keyOf));
    for (const query of missing) if (before.has(keyOf(query))) await this.#ask(query, signal);
  }

  async #ask(query: TokenQuery, signal: AbortSignal): Promise<void> {
    try {
      await this.#deps.tokens.request(query, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#deps.log.debug('no token was had for a pod', { pod: query.pod, reason: messageOf(error) });
    }
  }
}
