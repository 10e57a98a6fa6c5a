import { type Clock, createSingleFlight } from '@selvedge/kit';

/** Gives what it gave before until that is too old; many that ask at once are given the same. */
export function aged<T>(
  { maxAgeMs }: { readonly maxAgeMs: number },
  { clock }: { readonly clock: Pick<Clock, 'monotonicMs'> },
  work: (signal: AbortSignal) => Promise<T>,
): (signal: AbortSignal) => Promise<T> {
  const flights = createSingleFlight<T>();
  let held: { readonly value: T; readonly sinceMs: number } | undefined;
  return async (signal) => {
    if (held !== undefined && clock.monotonicMs() - held.sinceMs < maxAgeMs) return held.value;
    return flights.run('', signal, async (inner) => {
      const sinceMs = clock.monotonicMs();
      const value = await work(inner);
      held = { value, sinceMs };
      return value;
    });
  };
}
