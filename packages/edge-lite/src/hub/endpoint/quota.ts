import { statusError } from '../answers/index.ts';
import type { EndpointLimits } from './limits.ts';

/** What one user may have under way. */
export interface Quota {
  /** Counts a request until it is disposed. Throws 429 when the user has too many of them. */
  enter(user: string, kind: 'longRunning' | 'request'): Disposable;
}

export function createQuota(
  limits: Pick<EndpointLimits, 'maxLongRunningPerUser' | 'maxRequestsPerUser'>,
): Quota {
  const running = new Map<string, number>();
  const caps = { longRunning: limits.maxLongRunningPerUser, request: limits.maxRequestsPerUser };
  return {
    enter(user, kind) {
      const key = `${kind}/${user}`;
      const held = running.get(key) ?? 0;
      if (held >= caps[kind]) {
        const what = kind === 'request' ? 'requests' : 'watches and streams';
        throw statusError('ResourceExhausted', `${user} has ${held} ${what} under way`, {
          retryAfterSeconds: 1,
        });
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
