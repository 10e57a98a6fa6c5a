import { type Clock, type Counter, type MetricsRegistry, SelvedgeError, hasCode } from '@selvedge/kit';
import { AccessReviews } from './access-reviews.ts';
import { ClientCertificates } from './client-certificates.ts';
import { createCountedReviews } from './counted-reviews.ts';
import type { ReviewClient } from './reviews.ts';
import { TokenReviews } from './token-reviews.ts';
import type { AccessDecision, AccessQuestion, UserInfo } from './types.ts';

export interface DelegatedAccessOptions {
  /** `selvedge_<subsystem>_reviews_total` and `…_authentications_total` count what was asked. */
  readonly subsystem: string;
  /** Whom tokens must be meant for. Default: for the API server. */
  readonly audiences?: readonly string[];
  /** How long the API server's yes to a token is good, and its no. Default 2 minutes, as the kubelet; 10 seconds. */
  readonly acceptedTokenMs?: number;
  readonly refusedTokenMs?: number;
  /** How long its yes to an access review is good, and its no. Default 5 minutes and 30 seconds, as the kubelet. */
  readonly allowedMs?: number;
  readonly deniedMs?: number;
  /** Tokens remembered, by their hashes; those accepted and those refused. Default 1,000 each. */
  readonly maxTokens?: number;
  /** Decisions remembered; those about one user. Default 4,096 and 1,024. */
  readonly maxDecisions?: number;
  readonly maxDecisionsPerUser?: number;
  /** Certificates remembered as verified. Default 256. */
  readonly maxCertificates?: number;
}

export interface DelegatedAccessDeps {
  /** As somebody who may create TokenReviews and SubjectAccessReviews (ClusterRole `system:auth-delegator`). */
  readonly client: ReviewClient;
  /** PEM of the authorities that sign the cluster's client certificates, now. */
  readonly authorities: () => string;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
}

/** What a connection and a request show of their sender. */
export interface Credential {
  /** DER of the leaf of a client certificate whose private key TLS has proven. */
  readonly certificate: Uint8Array | undefined;
  readonly bearerToken: string | undefined;
}

/**
 * Who asks, and whether he may, as the API server decides it, for whoever listens in the cluster. Source: kubernetes.io
 * "Kubelet authentication/authorization".
 */
export interface DelegatedAccess {
  /**
   * As the kubelet: the certificate's user, or if it is not valid or there is none the token's. Rejects with
   * `Unauthenticated`, or with what the client says when the API server cannot be asked about a token.
   */
  authenticate(credential: Credential, signal: AbortSignal): Promise<UserInfo>;
  /** Whether the API server accepted the token lately, so that it is not asked about it now. */
  isAccepted(bearerToken: string): boolean;
  /** Rejects with what the client says when the API server cannot be asked. */
  authorize(question: AccessQuestion, signal: AbortSignal): Promise<AccessDecision>;
}

const minuteMs = 60_000;

const defaults = {
  audiences: [],
  acceptedTokenMs: 2 * minuteMs,
  refusedTokenMs: 10_000,
  allowedMs: 5 * minuteMs,
  deniedMs: 30_000,
  maxTokens: 1_000,
  maxDecisions: 4_096,
  maxDecisionsPerUser: 1_024,
  maxCertificates: 256,
};

const refuse = (message: string): SelvedgeError => new SelvedgeError(message, { code: 'Unauthenticated' });

class Delegated implements DelegatedAccess {
  readonly #certificates: ClientCertificates;
  readonly #tokens: TokenReviews;
  readonly #access: AccessReviews;
  readonly #authentications: Counter;

  constructor(options: DelegatedAccessOptions, deps: DelegatedAccessDeps) {
    const { client, clock, metrics } = deps;
    const all = { ...defaults, ...options };
    const prefix = `selvedge_${options.subsystem}`;
    this.#authentications = metrics.counter({
      name: `${prefix}_authentications_total`,
      help: 'Requests whose sender was asked for, by what was shown (certificate, token, none) and outcome.',
    });
    const counter = metrics.counter({
      name: `${prefix}_reviews_total`,
      help: 'Reviews that the API server was asked for, by kind (token, access) and outcome.',
    });
    const reviews = createCountedReviews({ clock, counter });
    this.#certificates = new ClientCertificates(all, deps);
    this.#tokens = new TokenReviews(all, { client, reviews });
    this.#access = new AccessReviews(all, { client, reviews });
  }

  async authenticate(credential: Credential, signal: AbortSignal): Promise<UserInfo> {
    const { certificate, bearerToken } = credential;
    const method = certificate !== undefined ? 'certificate' : bearerToken === undefined ? 'none' : 'token';
    try {
      const user = await this.#userOf(credential, signal);
      this.#authentications.add({ method, outcome: 'accepted' });
      return user;
    } catch (error) {
      signal.throwIfAborted();
      const outcome = hasCode(error, 'Unauthenticated') ? 'refused' : 'failed';
      this.#authentications.add({ method, outcome });
      throw error;
    }
  }

  isAccepted(bearerToken: string): boolean {
    return this.#tokens.isAccepted(bearerToken);
  }

  authorize(question: AccessQuestion, signal: AbortSignal): Promise<AccessDecision> {
    return this.#access.decide(question, signal);
  }

  async #userOf({ certificate, bearerToken }: Credential, signal: AbortSignal): Promise<UserInfo> {
    const hasToken = bearerToken !== undefined && bearerToken !== '';
    if (certificate !== undefined) {
      try {
        return this.#certificates.userOf(certificate);
      } catch (error) {
        if (!hasToken) throw error;
      }
    }
    if (!hasToken) throw refuse('the request shows neither a client certificate nor a bearer token');
    const verdict = await this.#tokens.verdictOf(bearerToken, signal);
    if (verdict.kind === 'accepted') return verdict.user;
    throw refuse(`the bearer token is not accepted by the API server: ${verdict.reason}`);
  }
}

/** Does no I/O by itself. What is remembered of tokens is their hashes. */
export function createDelegatedAccess(
  options: DelegatedAccessOptions,
  deps: DelegatedAccessDeps,
): DelegatedAccess {
  return new Delegated(options, deps);
}
