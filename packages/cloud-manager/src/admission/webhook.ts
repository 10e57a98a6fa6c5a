import { managerAdmission } from '@selvedge/api';
import type { Clock, LogFields, Logger, MetricsRegistry } from '@selvedge/kit';
import { createBodyReader, createByteShares, textAnswer } from '@selvedge/kit/serve';
import type { ObjectReader } from '@selvedge/kube';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { type Handler, readText, refusalOf } from '../serving/index.ts';
import { type GuardDeps, guardDenialOf, guardMessage, parseDeletion } from './guard.ts';
import { type IdentityDeps, identityDenialOf, parseCertificateReview } from './identity.ts';
import { type AdmissionDeps, denialMessage, denialOf, parseReview, reviewAnswer } from './review.ts';
import { type ValidationDeps, parseWrite, validated } from './validation/index.ts';

export interface AdmissionWebhookDeps extends AdmissionDeps, GuardDeps, IdentityDeps, ValidationDeps {
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

const { paths } = managerAdmission;

/**
 * An object as large as etcd stores (1.5 MiB), once more as it was, and what is around them: JSON of twice that length.
 * In all four of these; those who showed no certificate have two of them together, and one each by their address. What is
 * not answered passes, for API servers ignore a webhook that fails: so who finds no room waits, as long as they do.
 */
const limits = { maxBodyBytes: 6 * 1024 * 1024, bodyMs: 5_000, roomMs: 2_000 };
const shares = {
  what: 'reviews',
  maxBytes: 4 * limits.maxBodyBytes,
  maxBytesEach: limits.maxBodyBytes,
  reservedBytes: 2 * limits.maxBodyBytes,
};

/** What is decided about a review, and why it is denied. */
interface Verdict {
  readonly uid: string;
  readonly why: string | undefined;
  readonly warnings?: readonly string[];
  /** For the log. */
  readonly fields: LogFields;
}

type Decide = (text: string) => Verdict;

const banVerdict =
  (deps: AdmissionDeps): Decide =>
  (text) => {
    const { uid, ...review } = parseReview(text);
    const denial = denialOf({ uid, ...review }, deps);
    const why = denial === undefined ? undefined : denialMessage(denial);
    return { uid, why, fields: { ...denial, ...review.resource } };
  };

const guardVerdict =
  (deps: GuardDeps): Decide =>
  (text) => {
    const deletion = parseDeletion(text);
    const denial = guardDenialOf(deletion, deps);
    const why = denial === undefined ? undefined : guardMessage(denial);
    return { uid: deletion.uid, why, fields: { ...denial, username: deletion.userInfo.username } };
  };

const identityVerdict =
  (deps: IdentityDeps): Decide =>
  (text) => {
    const review = parseCertificateReview(text);
    const why = identityDenialOf(review, deps);
    return { uid: review.uid, why, fields: { why, username: review.userInfo.username } };
  };

const validationVerdict =
  (deps: ValidationDeps): Decide =>
  (text) => {
    const write = parseWrite(text);
    const { why, warnings } = validated(write, deps);
    return { uid: write.uid, why, warnings, fields: { why, ...write.resource } };
  };

/**
 * Denies what banned nodes write, certificate requests that may be theirs or of nodes that there are, deletions of what may be
 * running on nodes that are cut off, and what cannot be used; lets everything else pass.
 */
export function createAdmissionWebhook(deps: AdmissionWebhookDeps): Handler {
  const { log, metrics } = deps;
  const reviews = metrics.counter({
    name: 'selvedge_admission_reviews_total',
    help: 'Writes that API servers have asked about, by webhook (ban, guard, identity, validation) and outcome.',
  });
  const bodies = createBodyReader(limits, { ...deps, shares: createByteShares(shares) });
  const routes = new Map<string, { readonly webhook: string; readonly decide: Decide }>([
    [paths.ban, { webhook: 'ban', decide: banVerdict(deps) }],
    [paths.guard, { webhook: 'guard', decide: guardVerdict(deps) }],
    [paths.identity, { webhook: 'identity', decide: identityVerdict(deps) }],
    [paths.validation, { webhook: 'validation', decide: validationVerdict(deps) }],
  ]);
  return async (asked) => {
    const { request, signal } = asked;
    const route = request.method === 'POST' ? routes.get(request.url?.split('?')[0] ?? '') : undefined;
    if (route === undefined) return textAnswer(404, 'not found\n');
    const { webhook, decide } = route;
    try {
      const { uid, why, warnings, fields } = decide(await readText(asked, bodies));
      reviews.add({ webhook, outcome: why === undefined ? 'allowed' : 'denied' });
      if (why !== undefined) log.debug('write denied', { webhook, ...fields });
      return textAnswer(200, reviewAnswer(uid, why, warnings), 'application/json');
    } catch (error) {
      reviews.add({ webhook, outcome: 'failed' });
      signal.throwIfAborted();
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      return refusal;
    }
  };
}
