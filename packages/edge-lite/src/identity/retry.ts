import { type Backoff, type Clock, type Logger, hasCode } from '@selvedge/kit';

export interface RetryDeps {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Logger;
  readonly backoff: Backoff;
}

/** Repeats `attempt` while the way to the server is at fault; what the server refused rises. */
export async function retry<T>(
  what: string,
  attempt: () => Promise<T>,
  { clock, log, backoff, signal }: RetryDeps & { readonly signal: AbortSignal },
): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!hasCode(error, 'Unavailable', 'DeadlineExceeded', 'ResourceExhausted', 'Internal')) throw error;
      const delayMs = backoff.nextDelayMs();
      log.warn('joining the cluster is retried', { what, error, delayMs: Math.round(delayMs) });
      await clock.sleep(delayMs, signal);
    }
  }
}
