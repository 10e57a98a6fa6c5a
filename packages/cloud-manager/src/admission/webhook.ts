import { type Logger, type MetricsRegistry, hasCode } from '@selvedge/kit';
import { type Handler, readBody } from '../serving/index.ts';
import { type AdmissionDeps, bannedNodeOf, parseReview, reviewAnswer } from './review.ts';

export interface BanWebhookDeps extends AdmissionDeps {
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** Where API servers ask. */
export const banPath = '/admission/ban';

/** An object of 3 MiB, the most that API servers take, once more as it was, and what is around them. */
const maxBodyBytes = 8 * 1024 * 1024;

/** Denies what banned nodes write, and lets everything else pass. */
export function createBanWebhook(deps: BanWebhookDeps): Handler {
  const { log, metrics } = deps;
  const reviews = metrics.counter({
    name: 'selvedge_admission_reviews_total',
    help: 'Writes of nodes that API servers have asked about, by outcome.',
  });
  return async (request) => {
    if (request.method !== 'POST' || request.url?.split('?')[0] !== banPath) {
      return { status: 404, body: 'not found\n' };
    }
    try {
      const review = parseReview((await readBody(request, maxBodyBytes)).toString('utf8'));
      const node = bannedNodeOf(review, deps);
      reviews.add({ outcome: node === undefined ? 'allowed' : 'denied' });
      if (node !== undefined) log.debug('write of a banned node denied', { node, ...review.resource });
      return { status: 200, body: reviewAnswer(review.uid, node), contentType: 'application/json' };
    } catch (error) {
      reviews.add({ outcome: 'failed' });
      if (hasCode(error, 'Invalid')) return { status: 400, body: 'bad request\n' };
      if (hasCode(error, 'ResourceExhausted')) return { status: 413, body: 'too large\n' };
      throw error;
    }
  };
}
