import { BoundedMap, type Clock, type SingleFlight, createSingleFlight } from '@selvedge/kit';
import { type KubeClient, type TokenVerdict, reviewToken } from '@selvedge/kube';
import type { PodIdentity, UserInfo } from '../request.ts';
import { hashOfToken, isExpired, keyIdOf, provenanceOf, refuseToken, verifyToken } from './bearer-token.ts';
import type { AccessMetrics } from './metrics.ts';
import { cannotAsk } from './cannot-ask.ts';
import type { SeenTokens } from './seen-tokens.ts';
import type { SigningKeys } from './signing-keys.ts';
import { createStrangers } from './strangers.ts';
import { isServiceAccount, podOf } from './user.ts';
import type { WallTime } from './wall-time.ts';

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
  readonly time: Pick<WallTime, 'nowMs' | 'isPlausible'>;
  readonly seen: SeenTokens;
  readonly keys: SigningKeys;
  /** Whether it is one of this node's pods. */
  readonly hasPod: (pod: PodIdentity) => boolean;
  /** Whether the hub handed out the token with this hash (SHA-256, hexadecimal). */
  readonly knownToken: (hash: string) => boolean;
  readonly clock: Clock;
  readonly metrics: Pick<AccessMetrics, 'reviews'>;
}

/** Also the first pods of a node whose cluster's keys have not come yet are strangers. */
const strangers = { parallel: 4, burst: 32, perSecond: 5 };

interface Answer {
  readonly verdict: TokenVerdict;
  readonly atMs: number;
}

/** Whose bearer tokens are. What is remembered is their hashes, never the tokens. */
export class Tokens {
  readonly #options: TokensOptions;
  readonly #deps: TokensDeps;
  readonly #accepted: BoundedMap<string, Answer>;
  /** Apart, so that made-up tokens push out no good answers. */
  readonly #refused: BoundedMap<string, Answer>;
  readonly #strangers;
  readonly #flights: SingleFlight<TokenVerdict | undefined> = createSingleFlight();

  constructor(options: TokensOptions, deps: TokensDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#accepted = new BoundedMap({ capacity: options.maxTokens });
    this.#refused = new BoundedMap({ capacity: options.maxTokens });
    this.#strangers = createStrangers(strangers, deps);
  }

  /**
   * Asks the API server while it answers, if the token can be one of its own: a few at a time where that cannot be told.
   * Without it: a token that it accepted before, or one that is bound to a pod of this node and verified by the cluster's
   * stored keys; an expired one only if it is bound to a pod of this node and was accepted before, or was handed out here.
   * Rejects with `Unauthenticated`; with `ResourceExhausted` when too many unknown ones come.
   */
  async userOf(token: string, signal: AbortSignal): Promise<UserInfo> {
    const hash = hashOfToken(token);
    const verdict = await this.#online(hash, token, signal);
    if (verdict === undefined) return this.#alone(hash, token);
    if (verdict.kind === 'refused') throw refuseToken(`is not accepted by the API server: ${verdict.reason}`);
    return verdict.user;
  }

  /** Undefined: the cloud is away, or does not answer us. */
  async #online(hash: string, token: string, signal: AbortSignal): Promise<TokenVerdict | undefined> {
    if (!this.#deps.online()) return undefined;
    const known = this.#accepted.get(hash) ?? this.#refused.get(hash);
    if (known !== undefined && this.#isFresh(known)) return known.verdict;
    return await this.#flights.run(hash, signal, (inner) => this.#ask(hash, token, inner));
  }

  /** Rejects with `Unauthenticated` if that would be in vain. */
  async #ask(hash: string, token: string, signal: AbortSignal): Promise<TokenVerdict | undefined> {
    const { seen, keys } = this.#deps;
    const provenance = seen.userOf(hash) === undefined ? await provenanceOf(token, keys.current) : 'signed';
    if (provenance === 'forged') throw refuseToken('is not signed by the key that it names');
    const review = (): Promise<TokenVerdict | undefined> => this.#review(hash, token, signal);
    return provenance === 'signed' ? await review() : await this.#strangers.run(signal, review);
  }

  #isFresh({ verdict, atMs }: Answer): boolean {
    const { acceptedMs, refusedMs } = this.#options;
    return this.#deps.clock.monotonicMs() - atMs < (verdict.kind === 'accepted' ? acceptedMs : refusedMs);
  }

  async #review(hash: string, token: string, signal: AbortSignal): Promise<TokenVerdict | undefined> {
    const { client, clock, metrics } = this.#deps;
    try {
      const verdict = await reviewToken(client, { token }, signal);
      metrics.reviews.add({ kind: 'token', outcome: verdict.kind === 'accepted' ? 'allowed' : 'denied' });
      this.#remember(hash, { verdict, atMs: clock.monotonicMs() });
      this.#learn(hash, token, verdict);
      return verdict;
    } catch (error) {
      metrics.reviews.add({ kind: 'token', outcome: 'failed' });
      signal.throwIfAborted();
      if (cannotAsk(error)) return undefined;
      throw error;
    }
  }

  #remember(hash: string, answer: Answer): void {
    this.#accepted.delete(hash);
    this.#refused.delete(hash);
    (answer.verdict.kind === 'accepted' ? this.#accepted : this.#refused).set(hash, answer);
  }

  #learn(hash: string, token: string, verdict: TokenVerdict): void {
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
    const { seen, hasPod, knownToken, time } = this.#deps;
    const accepted = seen.userOf(hash);
    const user = accepted ?? (await this.#verified(hash, token));
    const pod = podOf(user);
    if (pod === undefined && accepted === undefined) {
      throw refuseToken('is bound to no pod and was never seen while the cloud was in reach');
    }
    if (pod === undefined && isExpired(token, time.nowMs()) && !knownToken(hash)) {
      throw refuseToken('is bound to no pod and has expired');
    }
    if (pod !== undefined && !hasPod(pod)) {
      throw refuseToken(`is bound to pod ${pod.namespace}/${pod.name}, which is not of this node`);
    }
    return user;
  }

  async #verified(hash: string, token: string): Promise<UserInfo> {
    const { keys, clock, knownToken, time } = this.#deps;
    const issuer = keys.current;
    if (issuer === undefined) throw refuseToken("cannot be verified: the cluster's keys were never in reach");
    const earlyToo = !time.isPlausible();
    return verifyToken(token, { issuer, nowMs: clock.now(), earlyToo, expiredToo: knownToken(hash) });
  }
}
