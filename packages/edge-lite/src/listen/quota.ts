import { SelvedgeError } from '@selvedge/kit';
import type { QuotaLimits } from './limits.ts';

/** What one user may have under way. */
export interface Quota {
  /** Counts a request until it is disposed. Throws `ResourceExhausted` when the user has too many of them. */
  enter(user: string, kind: 'longRunning' | 'request'): Disposable;
}

export function createQuota(limits: QuotaLimits): Quota {
  const running = new Map<string, number>();
  const caps = { longRunning: limits.maxLongRunningPerUser, request: limits.maxRequestsPerUser };
  return {
    enter(user, kind) {
      const key = `${kind}/${user}`;
      const held = running.get(key) ?? 0;
      if (held >= caps[kind]) {
        const what = kind === 'request' ? 'requests' : 'watches and streams';
        const message = `${user} has ${held} ${what} under way`;
        const details = { retryAfterSeconds: 1 };
        throw new SelvedgeError(message, { code: 'ResourceExhausted', details });
      }
      running.set(key, held + 1);
      return {
        [Symbol.dispose]() {
          const left = (running.get(key) ?? 1) - 1;
          if (left === 0) running.delete(key);
          else running.set(key, left);
        },
      };
    },
  };
}
