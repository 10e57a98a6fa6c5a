import { type SelvedgeError, systemClock } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import type { SubjectAccessReview, TokenReview } from '@selvedge/kube/types';
import type { ServingPair } from '@selvedge/kit/serve';
import { newAuthority, newCertificate, validFrom } from '@selvedge/kit/x509';

const hourMs = 3_600_000;

/** An authority with servers and, by the same token, clients: its certificates say nothing of clients alone. */
export interface TestAuthority {
  readonly certificate: string;
  serve(names: readonly string[]): ServingPair;
}

export function createTestAuthority(name: string): TestAuthority {
  const validity = validFrom(systemClock.now(), hourMs);
  const authority = newAuthority({ name, validity });
  const subject = { commonName: 'system:node:edge', organization: 'system:nodes' };
  return {
    certificate: authority.certificate,
    serve: (names) => newCertificate({ subject, names, usages: ['server'], validity }, authority),
  };
}

/** The API server's part: `token-of-NAME` is NAME's, and who may what is `NAME verb subresource`. */
export class TestReviews {
  readonly allowed = new Set<string>();
  readonly asked: string[] = [];
  failure: SelvedgeError | undefined;

  readonly create = async <T extends KubeObject>(
    { kind }: { readonly kind: string },
    object: T,
  ): Promise<T> => {
    const review: unknown = object;
    if (this.failure !== undefined) throw this.failure;
    if (kind === 'TokenReview') return { ...object, status: this.#token(review as TokenReview) };
    return { ...object, status: this.#access(review as SubjectAccessReview) };
  };

  #token({ spec }: TokenReview): TokenReview['status'] {
    this.asked.push('token');
    const [, username] = /^token-of-(.+)$/.exec(spec.token ?? '') ?? [];
    if (username === undefined) return { authenticated: false };
    return { authenticated: true, user: { username, groups: ['system:authenticated'] } };
  }

  #access({ spec }: SubjectAccessReview): SubjectAccessReview['status'] {
    const { verb = '', resource, subresource = '', name } = spec.resourceAttributes ?? {};
    const asked = `${spec.user ?? ''} ${verb} ${subresource}`;
    this.asked.push(asked);
    return { allowed: resource === 'nodes' && name === 'edge' && this.allowed.has(asked) };
  }
}
