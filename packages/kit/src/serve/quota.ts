import type { QuotaLimits } from './limits.ts';
import { createPlaces } from './places.ts';

/** What one user may have under way. */
export interface Quota {
  /** Counts a request until it is disposed. Throws `ResourceExhausted` when the user has too many of them. */
  enter(user: string, kind: 'longRunning' | 'request'): Disposable;
}

export function createQuota(limits: QuotaLimits): Quota {
  const places = {
    longRunning: createPlaces({ what: 'watches and streams', perClient: limits.maxLongRunningPerUser }),
    request: createPlaces({ what: 'requests under way', perClient: limits.maxRequestsPerUser }),
  };
  return { enter: (user, kind) => places[kind].take(user) };
}
