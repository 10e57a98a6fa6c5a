import { createHash } from 'node:crypto';
import { BoundedMap, type SingleFlight, createSingleFlight } from '@selvedge/kit';
import { type CountedReviews, type Timed, isYounger } from './counted-reviews.ts';
import { type ReviewClient, type TokenVerdict, reviewToken } from './reviews.ts';

export interface TokenReviewsOptions {
  /** Whom tokens must be meant for; none: the API server. */
  readonly audiences: readonly string[];
  readonly acceptedTokenMs: number;
  readonly refusedTokenMs: number;
  readonly maxTokens: number;
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Whose bearer tokens are. What is remembered is their hashes, never the tokens. */
export class TokenReviews {
  readonly #options: TokenReviewsOptions;
  readonly #deps: { readonly client: ReviewClient; readonly reviews: CountedReviews };
  readonly #accepted: BoundedMap<string, Timed<TokenVerdict>>;
  /** Apart, so that made-up tokens push out no good answers. */
  readonly #refused: BoundedMap<string, Timed<TokenVerdict>>;
  readonly #flights: SingleFlight<TokenVerdict> = createSingleFlight();

  constructor(
    options: TokenReviewsOptions,
    deps: { readonly client: ReviewClient; readonly reviews: CountedReviews },
  ) {
    this.#options = options;
    this.#deps = deps;
    this.#accepted = new BoundedMap({ capacity: options.maxTokens });
    this.#refused = new BoundedMap({ capacity: options.maxTokens });
  }

  /** Whether `verdictOf` accepts it without asking anybody. */
  isAccepted(token: string): boolean {
    return this.#known(hashOf(token))?.kind === 'accepted';
  }

  /** What the API server says now, or said lately. Rejects with what the client says. */
  async verdictOf(token: string, signal: AbortSignal): Promise<TokenVerdict> {
    const hash = hashOf(token);
    return (
      this.#known(hash) ??
      (await this.#flights.run(hash, signal, (inner) => this.#review(hash, token, inner)))
    );
  }

  #known(hash: string): TokenVerdict | undefined {
    const known = this.#accepted.get(hash) ?? this.#refused.get(hash);
    if (known === undefined) return undefined;
    const { acceptedTokenMs, refusedTokenMs } = this.#options;
    const goodMs = known.value.kind === 'accepted' ? acceptedTokenMs : refusedTokenMs;
    return isYounger(known, goodMs, this.#deps.reviews) ? known.value : undefined;
  }

  async #review(hash: string, token: string, signal: AbortSignal): Promise<TokenVerdict> {
    const { client, reviews } = this.#deps;
    const { audiences } = this.#options;
    const ask = (): Promise<TokenVerdict> => reviewToken(client, { token, audiences }, signal);
    const answer = await reviews.ask('token', ask, ({ kind }) => kind === 'accepted');
    this.#accepted.delete(hash);
    this.#refused.delete(hash);
    (answer.value.kind === 'accepted' ? this.#accepted : this.#refused).set(hash, answer);
    return answer.value;
  }
}
