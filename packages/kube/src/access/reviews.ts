import type { KubeClient } from '../client.ts';
import type { ResourceAttributes, SubjectAccessReview, TokenReview } from '../gen/types.ts';
import { resources } from '../resources.ts';
import type { AccessAttributes, AccessDecision, AccessQuestion, UserInfo } from './types.ts';

/** The part of the Kubernetes client by which reviews are asked for. */
export type ReviewClient = Pick<KubeClient, 'create'>;

/** What the API server says of a token. */
export type TokenVerdict =
  | { readonly kind: 'accepted'; readonly user: UserInfo; readonly audiences: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string };

/** Of a whole review; the cloud is taken to be away if it takes longer. */
const timeoutMs = 10_000;

function userFrom({
  username = '',
  uid,
  groups = [],
  extra,
}: NonNullable<TokenReview['status']>['user'] & object): UserInfo {
  return {
    username,
    groups,
    ...(uid === undefined || uid === '' ? {} : { uid }),
    ...(extra === undefined ? {} : { extra }),
  };
}

/**
 * Asks whose token this is, for one of `audiences`; none: for the API server's own. Source: `authentication.k8s.io/v1`
 * TokenReview.
 */
export async function reviewToken(
  client: ReviewClient,
  { token, audiences = [] }: { readonly token: string; readonly audiences?: readonly string[] },
  signal: AbortSignal,
): Promise<TokenVerdict> {
  const spec = audiences.length === 0 ? { token } : { token, audiences: [...audiences] };
  const review: TokenReview = { metadata: {}, spec };
  const { status = {} } = await client.create(resources.tokenReviews, review, { signal, timeoutMs });
  if (status.authenticated !== true || status.user === undefined) {
    return { kind: 'refused', reason: status.error ?? "it is nobody's" };
  }
  const accepted = status.audiences ?? [];
  if (audiences.length > 0 && !audiences.some((audience) => accepted.includes(audience))) {
    return { kind: 'refused', reason: 'it is for another audience' };
  }
  return { kind: 'accepted', user: userFrom(status.user), audiences: accepted };
}

/** The API server reads the selectors itself; one from before 1.31 does not, and is asked for more than is needed. */
function resourceAttributes(of: AccessAttributes & { readonly kind: 'resource' }): ResourceAttributes {
  const { kind: _kind, labelSelector, fieldSelector, ...plain } = of;
  return {
    ...plain,
    ...(labelSelector === '' ? {} : { labelSelector: { rawSelector: labelSelector } }),
    ...(fieldSelector === '' ? {} : { fieldSelector: { rawSelector: fieldSelector } }),
  };
}

/** Asks whether a user may do it. Source: `authorization.k8s.io/v1` SubjectAccessReview. */
export async function reviewAccess(
  client: ReviewClient,
  { user, attributes }: AccessQuestion,
  signal: AbortSignal,
): Promise<AccessDecision> {
  const { username, uid, groups, extra } = user;
  const what =
    attributes.kind === 'resource'
      ? { resourceAttributes: resourceAttributes(attributes) }
      : { nonResourceAttributes: { verb: attributes.verb, path: attributes.path } };
  const review: SubjectAccessReview = { metadata: {}, spec: { user: username, uid, groups, extra, ...what } };
  const { status } = await client.create(resources.subjectAccessReviews, review, { signal, timeoutMs });
  return { allowed: status?.allowed === true, reason: status?.reason ?? '' };
}
