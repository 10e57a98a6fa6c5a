import { aborted, raceAbort, scoped, type Scope } from './scope.ts';

/** Work that several ask for at the same time is done once. */
export interface SingleFlight<T> {
  /** How many are under way. */
  readonly size: number;
  /**
   * The outcome of the work under `key` that is under way, else of `work`, begun now. Rejects with the signal's reason if
   * that comes first; the work is aborted when nobody waits for it any more.
   */
  run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

interface Flight<T> {
  readonly done: Promise<T>;
  readonly scope: Scope;
  waiting: number;
}

export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();
  const begin = (key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> => {
    const scope = scoped();
    const flight = { done: work(scope.signal), scope, waiting: 0 };
    flights.set(key, flight);
    return flight;
  };
  const leave = (key: string, flight: Flight<T>): void => {
    flight.waiting -= 1;
    if (flight.waiting > 0) return;
    if (flights.get(key) === flight) flights.delete(key);
    flight.scope.abort(aborted(key));
  };
  return {
    get size() {
      return flights.size;
    },
    async run(key, signal, work) {
      signal.throwIfAborted();
      const flight = flights.get(key) ?? begin(key, work);
      flight.waiting += 1;
      try {
        return await raceAbort(flight.done, signal);
      } finally {
        leave(key, flight);
      }
    },
  };
}
