import { randomUUID } from 'node:crypto';
import { SelvedgeError, createListeners, silentLogger } from '@selvedge/kit';
import type { ManualClock } from '@selvedge/kit/testing';
import type { KubeClient, KubeObject } from '@selvedge/kube';
import type { SubjectAccessReview, TokenReview } from '@selvedge/kube/types';
import type { PodIdentity } from '../request.ts';
import type { Connectivity } from '../upstream/types.ts';
import { type TokenKey, issuer, jwkOf, newTokenKey, signToken } from './testing-tokens.ts';
import { userOfClaims } from './user.ts';

/** Keys take their time to be found: one serves all. */
const firstKey = newTokenKey('first');

type ResourceAttributes = SubjectAccessReview['spec']['resourceAttributes'];

function wordOf({
  group = '',
  resource = '',
  subresource = '',
}: NonNullable<ResourceAttributes> = {}): string {
  return `${resource}${group && `.${group}`}${subresource && `/${subresource}`}`;
}

/** The API server's part of access, in memory. */
export class TestApi {
  readonly clock: ManualClock;
  key = firstKey;
  published: readonly TokenKey[] = [this.key];
  /** Tokens that it does not accept any more. */
  readonly revoked = new Set<string>();
  /**
   * Who may do what: `user verb resource namespace`, or for one name, be it empty, `user verb resource namespace/name`. The
   * resource with its group and subresource, if any: `resource.group/subresource`.
   */
  readonly allowed = new Set<string>();
  readonly calls: string[] = [];
  readonly accessReviews: SubjectAccessReview[] = [];
  /** What the next calls reject with, until it is undefined. */
  failure: SelvedgeError | undefined;
  /** Awaited by each call. */
  gate: Promise<void> = Promise.resolve();
  audience = issuer;
  connectivity: Connectivity = { kind: 'online', sinceMs: 0, server: 'test' };
  readonly #listeners = createListeners<Connectivity>(silentLogger);

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  readonly onConnectivity = this.#listeners.add;

  go(kind: 'online' | 'offline'): void {
    const sinceMs = this.clock.now();
    this.connectivity =
      kind === 'online' ? { kind, sinceMs, server: 'test' } : { kind, sinceMs, reason: 'refused' };
    this.#listeners.tell(this.connectivity);
  }

  /** The claims of a token bound to a pod, good for an hour. */
  claims(pod: PodIdentity, account = 'app'): Readonly<Record<string, unknown>> {
    const now = Math.floor(this.clock.now() / 1_000);
    return {
      iss: issuer,
      aud: [this.audience],
      iat: now,
      nbf: now,
      exp: now + 3_600,
      jti: randomUUID(),
      sub: `system:serviceaccount:${pod.namespace}:${account}`,
      'kubernetes.io': {
        namespace: pod.namespace,
        serviceaccount: { name: account, uid: `${account}-uid` },
        pod: { name: pod.name, uid: pod.uid },
        node: { name: 'edge', uid: 'edge-uid' },
      },
    };
  }

  token(pod: PodIdentity, changed: object = {}): string {
    const { key } = this;
    return signToken(key, { alg: key.alg, kid: key.kid }, { ...this.claims(pod), ...changed });
  }

  readonly client: Pick<KubeClient, 'create' | 'raw'> = {
    create: async <T extends KubeObject>(resource: { readonly kind: string }, object: T): Promise<T> => {
      await this.#called(resource.kind);
      const review: unknown = object;
      const status =
        resource.kind === 'TokenReview'
          ? this.#reviewToken(review as TokenReview)
          : this.#reviewAccess(review as SubjectAccessReview);
      return { ...object, status };
    },
    raw: async ({ path }) => {
      await this.#called(path);
      const body = path.startsWith('/openid') ? { keys: this.published.map(jwkOf) } : { issuer };
      return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(body)) };
    },
  };

  async #called(what: string): Promise<void> {
    this.calls.push(what);
    await this.gate;
    if (this.connectivity.kind === 'offline') throw new SelvedgeError('cut', { code: 'Unavailable' });
    if (this.failure !== undefined) throw this.failure;
  }

  /** Believes what a token says: to look at signatures is not this one's part. */
  #reviewToken({ spec: { token } }: TokenReview): TokenReview['status'] {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    if (payload === '' || this.revoked.has(token))
      return { authenticated: false, error: 'invalid bearer token' };
    const claims = JSON.parse(payload) as { readonly email?: string };
    const user = userOfClaims(claims) ?? { username: claims.email ?? 'nobody', groups: [] };
    return { authenticated: true, user, audiences: [this.audience] };
  }

  #reviewAccess(review: SubjectAccessReview): SubjectAccessReview['status'] {
    this.accessReviews.push(review);
    const { user, resourceAttributes: of } = review.spec;
    const asked = `${user} ${of?.verb} ${wordOf(of)} ${of?.namespace}`.trim();
    const allowed = this.allowed.has(asked) || this.allowed.has(`${asked}/${of?.name}`);
    return { allowed, reason: `asked for ${asked}` };
  }
}
