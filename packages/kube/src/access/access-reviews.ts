import { createHash } from 'node:crypto';
import { FairMap, type SingleFlight, createSingleFlight } from '@selvedge/kit';
import { type CountedReviews, type Timed, isYounger } from './counted-reviews.ts';
import { type ReviewClient, reviewAccess } from './reviews.ts';
import type { AccessDecision, AccessQuestion } from './types.ts';

export interface AccessReviewsOptions {
  readonly allowedMs: number;
  readonly deniedMs: number;
  readonly maxDecisions: number;
  readonly maxDecisionsPerUser: number;
}

/** Who may do what. */
export class AccessReviews {
  readonly #options: AccessReviewsOptions;
  readonly #deps: { readonly client: ReviewClient; readonly reviews: CountedReviews };
  readonly #decisions: FairMap<string, Timed<AccessDecision>>;
  readonly #flights: SingleFlight<AccessDecision> = createSingleFlight();

  constructor(
    options: AccessReviewsOptions,
    deps: { readonly client: ReviewClient; readonly reviews: CountedReviews },
  ) {
    const { maxDecisions: capacity, maxDecisionsPerUser: capacityPerOwner } = options;
    this.#options = options;
    this.#deps = deps;
    this.#decisions = new FairMap({ capacity, capacityPerOwner });
  }

  /** What the API server says now, or said lately. Rejects with what the client says. */
  async decide(question: AccessQuestion, signal: AbortSignal): Promise<AccessDecision> {
    const key = createHash('sha256').update(JSON.stringify(question)).digest('base64');
    const known = this.#decisions.get(key);
    const { allowedMs, deniedMs } = this.#options;
    const goodMs = known?.value.allowed === true ? allowedMs : deniedMs;
    if (known !== undefined && isYounger(known, goodMs, this.#deps.reviews)) return known.value;
    return await this.#flights.run(key, signal, (inner) => this.#review(key, question, inner));
  }

  async #review(key: string, question: AccessQuestion, signal: AbortSignal): Promise<AccessDecision> {
    const { client, reviews } = this.#deps;
    const ask = (): Promise<AccessDecision> => reviewAccess(client, question, signal);
    const answer = await reviews.ask('access', ask, ({ allowed }) => allowed);
    this.#decisions.set(question.user.username, key, answer);
    return answer.value;
  }
}
