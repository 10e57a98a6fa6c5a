import { type Clock, SelvedgeError, explain, isAbort, withDeadline } from '@selvedge/kit';

export interface WaitOptions {
  /** What is being waited for; named in the error. */
  readonly what: string;
  /** Default 90 s: patient with a machine that has much to do. */
  readonly timeoutMs?: number | undefined;
  /** Time between two looks. Default 50 ms. */
  readonly everyMs?: number | undefined;
  /** What a person should look at when the time is up. */
  readonly hint?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks until `look` gives something other than `undefined` or `false`. An error of `look` counts as "not yet"; the
 * last one is the cause of the `DeadlineExceeded` that ends the wait.
 */
export async function waitFor<T>(
  options: WaitOptions,
  clock: Clock,
  look: (signal: AbortSignal) => Promise<T | undefined | false>,
): Promise<T> {
  const { what, timeoutMs = 90_000, everyMs = 50, hint } = options;
  let last: unknown;
  const loop = async (signal: AbortSignal): Promise<T> => {
    for (;;) {
      try {
        const seen = await look(signal);
        if (seen !== undefined && seen !== false) return seen;
      } catch (error) {
        if (!isAbort(error, signal)) last = error;
      }
      await clock.sleep(everyMs, signal);
    }
  };
  try {
    return await withDeadline({ what, timeoutMs, signal: options.signal }, clock, loop);
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    const why = last === undefined ? '' : `; the last look said: ${explain(last)}`;
    throw new SelvedgeError(`${what} did not come about within ${timeoutMs} ms${why}`, {
      code: 'DeadlineExceeded',
      cause: last ?? error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
