import {
  SelvedgeError,
  hasCode,
  messageOf,
  type Clock,
  type ErrorCode,
  type Logger,
  type Random,
} from '@selvedge/kit';

import type { ServiceAccountToken, TokenQuery, TokenSource } from '../ports.ts';
import type { VolumeMetrics } from './metrics.ts';
import type { TokenStore } from './types.ts';

const maxAgeMs = 24 * 3_600_000;
const maxJitterMs = 10_000;
/** A renewal that failed is tried again this much later. */
const retryMs = 60_000;

/**
 * Refusals that may be over in a moment: the API server looks for the pod in caches of its own, which a pod that is new
 * may not have reached yet. Source: `plugin/pkg/admission/noderestriction`, `plugin/pkg/auth/authorizer/node` of
 * Kubernetes 1.36.
 */
const early: readonly ErrorCode[] = ['NotFound', 'Forbidden'];

export interface TokensDeps {
  readonly metrics: Pick<VolumeMetrics, 'tokens'>;
  readonly source: TokenSource;
  readonly store: TokenStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  readonly log: Logger;
}

export interface CurrentToken {
  readonly token: string;
  /** When it should be asked for again, in milliseconds since the epoch. */
  readonly dueMs: number;
}

export interface Tokens {
  /**
   * The stored token while it is fresh, else a new one. If none can be had the old one stays in use; without one it
   * rejects with `Unavailable`, also where the API server may not know the pod yet, or as it refused.
   */
  current(query: TokenQuery, signal: AbortSignal): Promise<CurrentToken>;
}

/** At 80 % of the life that was granted, or a day after it was issued. Source: `pkg/kubelet/token/token_manager.go` of Kubernetes 1.36. */
function renewalMs({ expiresAtMs, lifetimeSeconds }: ServiceAccountToken): number {
  const issuedMs = expiresAtMs - lifetimeSeconds * 1000;
  return Math.min(issuedMs + maxAgeMs, expiresAtMs - lifetimeSeconds * 200);
}

export function createTokens({ source, store, clock, random, log, metrics }: TokensDeps): Tokens {
  const fallBack = (
    query: TokenQuery,
    known: ServiceAccountToken | undefined,
    error: unknown,
  ): CurrentToken => {
    const cause = error;
    const refusal = error instanceof SelvedgeError ? error.code : 'Internal';
    if (known === undefined) {
      const code = early.includes(refusal) ? 'Unavailable' : refusal;
      throw new SelvedgeError(`failed to fetch token: ${messageOf(error)}`, { code, cause });
    }
    // While the cloud is away an expired token is still the best there is.
    if (known.expiresAtMs < clock.now() && !hasCode(error, 'Unavailable', 'DeadlineExceeded')) {
      const text = `token of ${query.serviceAccount} expired and refresh failed: ${messageOf(error)}`;
      throw new SelvedgeError(text, { code: refusal, cause });
    }
    log.debug('token not renewed', { pod: query.pod.uid, serviceAccount: query.serviceAccount, error });
    return { token: known.token, dueMs: clock.now() + retryMs };
  };
  return {
    async current(query, signal) {
      const known = store.get(query);
      const jitterMs = random() * maxJitterMs;
      const dueMs = known === undefined ? 0 : renewalMs(known) - jitterMs;
      if (known !== undefined && clock.now() < dueMs) return { token: known.token, dueMs };
      try {
        const fresh = await source.request(query, signal);
        metrics.tokens.add({ outcome: 'done' });
        store.put(query, fresh);
        return { token: fresh.token, dueMs: renewalMs(fresh) - jitterMs };
      } catch (error) {
        signal.throwIfAborted();
        metrics.tokens.add({ outcome: 'failed' });
        return fallBack(query, known, error);
      }
    },
  };
}
