import { hasCode } from '@selvedge/kit';
import { type KubeClient, resources } from '@selvedge/kube';
import type { ResourceAttributes, SubjectAccessReview, TokenReview } from '@selvedge/kube/types';
import type { UserInfo } from '../request.ts';
import type { Attributes, Decision } from './types.ts';

type ReviewClient = Pick<KubeClient, 'create'>;

/** What the API server says of a token. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly user: UserInfo; readonly audiences: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string };

/** Of a whole review; the cloud is taken to be away if it takes longer. */
const timeoutMs = 10_000;

/**
 * The API server did not answer, or would not answer us: the node's own certificate is refused, it has too much to do, it
 * fails. None of that says anything of the one who is asked about.
 */
export const cannotAsk = (error: unknown): boolean =>
  hasCode(
    error,
    'Unavailable',
    'DeadlineExceeded',
    'Unauthenticated',
    'Forbidden',
    'ResourceExhausted',
    'Internal',
  );

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

/** Asks whose token this is, for the API server's own audience. Source: `authentication.k8s.io/v1` TokenReview. */
export async function reviewToken(
  client: ReviewClient,
  token: string,
  signal: AbortSignal,
): Promise<Verdict> {
  const review: TokenReview = { metadata: {}, spec: { token } };
  const { status = {} } = await client.create(resources.tokenReviews, review, { signal, timeoutMs });
  if (status.authenticated !== true || status.user === undefined) {
    return { kind: 'refused', reason: status.error ?? "it is nobody's" };
  }
  return { kind: 'accepted', user: userFrom(status.user), audiences: status.audiences ?? [] };
}

/** The API server reads the selectors itself; one from before 1.31 does not, and is asked for more than is needed. */
function resourceAttributes(of: Attributes & { readonly kind: 'resource' }): ResourceAttributes {
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
  { user, attributes }: { readonly user: UserInfo; readonly attributes: Attributes },
  signal: AbortSignal,
): Promise<Decision> {
  const { username, uid, groups, extra } = user;
  const what =
    attributes.kind === 'resource'
      ? { resourceAttributes: resourceAttributes(attributes) }
      : { nonResourceAttributes: { verb: attributes.verb, path: attributes.path } };
  const review: SubjectAccessReview = { metadata: {}, spec: { user: username, uid, groups, extra, ...what } };
  const { status } = await client.create(resources.subjectAccessReviews, review, { signal, timeoutMs });
  return { allowed: status?.allowed === true, reason: status?.reason ?? '' };
}
