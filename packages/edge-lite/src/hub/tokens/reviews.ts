import type { Clock } from '@selvedge/kit';
import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';
import type { DecodeBody } from '../bodies/types.ts';
import { jsonResponse } from '../forward/index.ts';
import type { HubRequest, HubResponse } from '../request.ts';
import type { ResourceRequest } from '../request-info/index.ts';
import { digestOf } from './digest.ts';
import type { AnswerMemory } from './types.ts';

export interface ReviewsOptions {
  /** How long a decision counts after it was made, in milliseconds. Default 24 hours. */
  readonly maxAgeMs?: number;
  /** Decisions that are kept; beyond them the one that was heard first goes. Default 1,000. */
  readonly maxReviews?: number;
}

export interface ReviewsDeps {
  readonly runtime: RuntimeRepository;
  readonly decodeBody: DecodeBody;
  readonly clock: Pick<Clock, 'now'>;
}

interface KeptReview {
  readonly heardMs: number;
  readonly status: unknown;
}

interface Review {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: unknown;
}

const kind: RuntimeKind<KeptReview> = { name: 'hub-review' };
const hourMs = 3_600_000;

class KeptReviews implements AnswerMemory {
  readonly #options: Required<ReviewsOptions>;
  readonly #deps: ReviewsDeps;
  /** The oldest first, read from the disk when it is needed first. */
  #reviews: Map<string, KeptReview> | undefined;

  constructor(options: ReviewsOptions, deps: ReviewsDeps) {
    this.#options = { maxAgeMs: 24 * hourMs, maxReviews: 1_000, ...options };
    this.#deps = deps;
  }

  heard(request: HubRequest, about: ResourceRequest, { status, body }: HubResponse): void {
    if (status !== 201 || !(body instanceof Uint8Array)) return;
    const answer = JSON.parse(Buffer.from(body).toString('utf8')) as Review;
    if (answer.status === undefined) return;
    const key = this.#keyOf(request, about, this.#decoded(request));
    this.#keep(key, { heardMs: this.#deps.clock.now(), status: answer.status });
  }

  recall(request: HubRequest, about: ResourceRequest): HubResponse | undefined {
    const review = this.#decoded(request);
    const kept = this.#all().get(this.#keyOf(request, about, review));
    if (kept === undefined || this.#deps.clock.now() - kept.heardMs > this.#options.maxAgeMs)
      return undefined;
    return jsonResponse(201, { ...review, status: kept.status });
  }

  /** What one was told counts for nobody else: another may not be allowed to ask. */
  #keyOf({ caller }: HubRequest, { group, resource }: ResourceRequest, { spec }: Review): string {
    return digestOf([caller.user.username, group, resource, spec]);
  }

  #decoded({ headers, body = new Uint8Array() }: HubRequest): Review {
    return this.#deps.decodeBody({ contentType: headers['content-type'], bytes: body });
  }

  /** A decision that is heard again is not written again but once an hour: its age on disk errs on the safe side. */
  #keep(key: string, review: KeptReview): void {
    const all = this.#all();
    const before = this.#deps.runtime.get(kind, key);
    all.delete(key);
    all.set(key, review);
    const same = before !== undefined && digestOf(before.status) === digestOf(review.status);
    if (!same || review.heardMs - before.heardMs > hourMs) {
      this.#deps.runtime.put(kind, { key, document: review }, { durable: false });
    }
    const [oldest] = all.keys();
    if (all.size <= this.#options.maxReviews || oldest === undefined) return;
    all.delete(oldest);
    this.#deps.runtime.delete(kind, oldest);
  }

  #all(): Map<string, KeptReview> {
    this.#reviews ??= new Map(
      this.#deps.runtime
        .list(kind)
        .toSorted((a, b) => a.document.heardMs - b.document.heardMs)
        .map(({ key, document }) => [key, document]),
    );
    return this.#reviews;
  }
}

/**
 * TokenReviews and SubjectAccessReviews as the API server answered them, for whoever asked. Of what was asked only a
 * digest is kept: a TokenReview holds a token.
 */
export function createReviews(options: ReviewsOptions, deps: ReviewsDeps): AnswerMemory {
  return new KeptReviews(options, deps);
}
