import { BoundedMap, type Clock, type SingleFlight, createSingleFlight } from '@selvedge/kit';
import type { KubeClient } from '@selvedge/kube';
import type { PodIdentity, UserInfo } from '../request.ts';
import { hashOfToken, keyIdOf, refuseToken, verifyToken } from './bearer-token.ts';
import type { AccessMetrics } from './metrics.ts';
import { type Verdict, isAway, reviewToken } from './reviews.ts';
import type { SeenTokens } from './seen-tokens.ts';
import type { SigningKeys } from './signing-keys.ts';
import { isServiceAccount, podOf } from './user.ts';

export interface TokensOptions {
  /** How long an accepted token is not asked about again. */
  readonly acceptedMs: number;
  /** How long a refused one is not. */
  readonly refusedMs: number;
  readonly maxTokens: number;
}

export interface TokensDeps {
  readonly client: Pick<KubeClient, 'create'>;
  readonly online: () => boolean;
  readonly seen: SeenTokens;
  readonly keys: SigningKeys;
  /** Whether it is one of this node's pods. */
  readonly hasPod: (pod: PodIdentity) => boolean;
  /** Whether the hub handed out the token with this hash (SHA-256, hexadecimal). */
  readonly knownToken: (hash: string) => boolean;
  readonly clock: Clock;
  readonly metrics: Pick<AccessMetrics, 'reviews'>;
}

interface Answer {
  readonly verdict: Verdict;
  readonly atMs: number;
}

/** Whose bearer tokens are. What is remembered is their hashes, never the tokens. */
export class Tokens {
  readonly #options: TokensOptions;
  readonly #deps: TokensDeps;
  readonly #answers: BoundedMap<string, Answer>;
  readonly #flights: SingleFlight<Verdict> = createSingleFlight();

  constructor(options: TokensOptions, deps: TokensDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#answers = new BoundedMap({ capacity: options.maxTokens });
  }

  /**
   * Asks the API server while it answers. Without it: a token that it accepted before, or one that is bound to a pod of
   * this node and verified by the cluster's stored keys; an expired one only if it was accepted before or handed out
   * here. Rejects with `Unauthenticated`.
   */
  async userOf(token: string, signal: AbortSignal): Promise<UserInfo> {
    const hash = hashOfToken(token);
    const verdict = await this.#online(hash, token, signal);
    if (verdict === undefined) return this.#alone(hash, token);
    if (verdict.kind === 'refused') throw refuseToken(`is not accepted by the API server: ${verdict.reason}`);
    return verdict.user;
  }

  /** Undefined: the cloud is away. */
  async #online(hash: string, token: string, signal: AbortSignal): Promise<Verdict | undefined> {
    if (!this.#deps.online()) return undefined;
    const known = this.#answers.get(hash);
    if (known !== undefined && this.#isFresh(known)) return known.verdict;
    try {
      return await this.#flights.run(hash, signal, (inner) => this.#review(hash, token, inner));
    } catch (error) {
      signal.throwIfAborted();
      if (isAway(error)) return undefined;
      throw error;
    }
  }

  #isFresh({ verdict, atMs }: Answer): boolean {
    const { acceptedMs, refusedMs } = this.#options;
    return this.#deps.clock.monotonicMs() - atMs < (verdict.kind === 'accepted' ? acceptedMs : refusedMs);
  }

  async #review(hash: string, token: string, signal: AbortSignal): Promise<Verdict> {
    const { client, clock, metrics } = this.#deps;
    try {
      const verdict = await reviewToken(client, token, signal);
      this.#answers.set(hash, { verdict, atMs: clock.monotonicMs() });
      metrics.reviews.add({ kind: 'token', outcome: verdict.kind === 'accepted' ? 'allowed' : 'denied' });
      this.#learn(hash, token, verdict);
      return verdict;
    } catch (error) {
      metrics.reviews.add({ kind: 'token', outcome: 'failed' });
      throw error;
    }
  }

  #learn(hash: string, token: string, verdict: Verdict): void {
    const { seen, keys } = this.#deps;
    if (verdict.kind === 'refused') {
      seen.forget(hash);
      return;
    }
    if (!isServiceAccount(verdict.user)) return;
    seen.add(hash, verdict.user);
    keys.learn({ keyId: keyIdOf(token), audiences: verdict.audiences });
  }

  async #alone(hash: string, token: string): Promise<UserInfo> {
    const { seen, hasPod } = this.#deps;
    const accepted = seen.userOf(hash);
    const user = accepted ?? (await this.#verified(hash, token));
    const pod = podOf(user);
    if (pod === undefined && accepted === undefined) {
      throw refuseToken('is bound to no pod and was never seen while the cloud was in reach');
    }
    if (pod !== undefined && !hasPod(pod)) {
      throw refuseToken(`is bound to pod ${pod.namespace}/${pod.name}, which is not of this node`);
    }
    return user;
  }

  async #verified(hash: string, token: string): Promise<UserInfo> {
    const { keys, clock, knownToken } = this.#deps;
    const issuer = keys.current;
    if (issuer === undefined) throw refuseToken("cannot be verified: the cluster's keys were never in reach");
    return verifyToken(token, { issuer, nowMs: clock.now(), expiredToo: knownToken(hash) });
  }
}
