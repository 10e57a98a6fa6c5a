import { type Logger, type MetricsRegistry, hasCode } from '@selvedge/kit';
import { type Handler, createBodies } from '../serving/index.ts';
import { type AdmissionDeps, denialOf, parseReview, reviewAnswer } from './review.ts';

export interface BanWebhookDeps extends AdmissionDeps {
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** Where API servers ask. */
export const banPath = '/admission/ban';

/**
 * An object as large as etcd stores (1.5 MiB), once more as it was, and what is around them: JSON of twice that length.
 * In all four of these. What is not read passes: API servers ignore a webhook that fails.
 */
const limits = { maxBytes: 6 * 1024 * 1024, maxBytesInAll: 24 * 1024 * 1024 };

/** Denies what banned nodes write and certificate requests that may be theirs, and lets everything else pass. */
export function createBanWebhook(deps: BanWebhookDeps): Handler {
  const { log, metrics } = deps;
  const reviews = metrics.counter({
    name: 'selvedge_admission_reviews_total',
    help: 'Writes of nodes that API servers have asked about, by outcome.',
  });
  const bodies = createBodies(limits);
  return async (request) => {
    if (request.method !== 'POST' || request.url?.split('?')[0] !== banPath) {
      return { status: 404, body: 'not found\n' };
    }
    try {
      const review = parseReview((await bodies.read(request)).toString('utf8'));
      const denial = denialOf(review, deps);
      reviews.add({ outcome: denial === undefined ? 'allowed' : 'denied' });
      if (denial !== undefined) log.debug('write denied', { ...denial, ...review.resource });
      return { status: 200, body: reviewAnswer(review.uid, denial), contentType: 'application/json' };
    } catch (error) {
      reviews.add({ outcome: 'failed' });
      if (hasCode(error, 'Invalid')) return { status: 400, body: 'bad request\n' };
      if (hasCode(error, 'ResourceExhausted')) return { status: 413, body: 'too large\n' };
      if (hasCode(error, 'Unavailable')) return { status: 503, body: 'busy\n' };
      throw error;
    }
  };
}
