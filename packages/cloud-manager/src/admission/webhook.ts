import type { Clock, Logger, MetricsRegistry } from '@selvedge/kit';
import { createBodyReader, createByteShares, textAnswer } from '@selvedge/kit/serve';
import { type Handler, readText, refusalOf } from '../serving/index.ts';
import { type AdmissionDeps, denialOf, parseReview, reviewAnswer } from './review.ts';

export interface BanWebhookDeps extends AdmissionDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** Where API servers ask. */
export const banPath = '/admission/ban';

/**
 * An object as large as etcd stores (1.5 MiB), once more as it was, and what is around them: JSON of twice that length.
 * In all four of these; those who showed no certificate have two of them together, and one each by their address. API
 * servers give up after two seconds. What is not read passes: they ignore a webhook that fails.
 */
const limits = { maxBodyBytes: 6 * 1024 * 1024, bodyMs: 5_000 };
const shares = {
  what: 'reviews',
  maxBytes: 4 * limits.maxBodyBytes,
  maxBytesEach: limits.maxBodyBytes,
  reservedBytes: 2 * limits.maxBodyBytes,
};

/** Denies what banned nodes write and certificate requests that may be theirs, and lets everything else pass. */
export function createBanWebhook(deps: BanWebhookDeps): Handler {
  const { log, metrics } = deps;
  const reviews = metrics.counter({
    name: 'selvedge_admission_reviews_total',
    help: 'Writes of nodes that API servers have asked about, by outcome.',
  });
  const bodies = createBodyReader(limits, { ...deps, shares: createByteShares(shares) });
  return async (asked) => {
    const { request, signal } = asked;
    if (request.method !== 'POST' || request.url?.split('?')[0] !== banPath) {
      return textAnswer(404, 'not found\n');
    }
    try {
      const review = parseReview(await readText(asked, bodies));
      const denial = denialOf(review, deps);
      reviews.add({ outcome: denial === undefined ? 'allowed' : 'denied' });
      if (denial !== undefined) log.debug('write denied', { ...denial, ...review.resource });
      return textAnswer(200, reviewAnswer(review.uid, denial), 'application/json');
    } catch (error) {
      reviews.add({ outcome: 'failed' });
      signal.throwIfAborted();
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      return refusal;
    }
  };
}
