import { type Clock, SelvedgeError, scoped } from '@selvedge/kit';

export interface WatchOverOptions {
  /** Why the work cannot succeed any more: a program that it needs has ended, say. Undefined as long as it can. */
  readonly failure: () => Promise<string | undefined>;
  readonly signal?: AbortSignal | undefined;
}

/** How often is looked, in milliseconds. */
const everyMs = 250;

/** Does `work`, but gives it up with `Unavailable` as soon as it cannot succeed any more. */
export async function watchOver<T>(
  options: WatchOverOptions,
  clock: Clock,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using scope = scoped(options.signal);
  const watch = async (): Promise<never> => {
    for (;;) {
      await clock.sleep(everyMs, scope.signal);
      const why = await options.failure();
      if (why !== undefined) throw new SelvedgeError(why, { code: 'Unavailable' });
    }
  };
  try {
    return await Promise.race([work(scope.signal), watch()]);
  } finally {
    scope.abort();
  }
}
