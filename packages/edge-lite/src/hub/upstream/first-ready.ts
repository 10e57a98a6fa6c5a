import { aborted, raceAbort, scoped, type Clock } from '@selvedge/kit';

export interface FirstReadyOptions {
  readonly servers: readonly string[];
  /** How long the first has before the second is asked too, in milliseconds; each further one comes a tenth of it later. */
  readonly headStartMs: number;
}

export interface FirstReadyDeps {
  readonly clock: Clock;
  /** Rejects when the server is not ready. */
  readonly ask: (server: string, signal: AbortSignal) => Promise<void>;
}

/** Rejects when one of them is ready. */
async function allFailed(attempts: readonly Promise<string>[]): Promise<void> {
  const [one] = (await Promise.allSettled(attempts)).filter(({ status }) => status === 'fulfilled');
  if (one !== undefined) throw aborted('asking');
}

/** Until the server at `place` is asked, whatever those before it do. */
const delayOf = (place: number, headStartMs: number): number =>
  place === 0 ? 0 : headStartMs + ((place - 1) * headStartMs) / 10;

/**
 * The first server that is ready. A later one is asked as soon as all before it have failed or had their head start, so
 * that the one in use is kept if it is well. Rejects with an `AggregateError` of all failures, in the servers' order.
 * Source: RFC 8305, "Happy Eyeballs".
 */
export async function firstReady(
  { servers, headStartMs }: FirstReadyOptions,
  { clock, ask }: FirstReadyDeps,
  signal: AbortSignal,
): Promise<string> {
  using scope = scoped(signal);
  const attempts: Promise<string>[] = [];
  const attempt = async (server: string, before: readonly Promise<string>[]): Promise<string> => {
    const headStart = clock.sleep(delayOf(before.length, headStartMs), scope.signal);
    await Promise.race([headStart, allFailed(before)]);
    headStart.catch(() => undefined);
    scope.signal.throwIfAborted();
    await ask(server, scope.signal);
    return server;
  };
  for (const server of servers) attempts.push(attempt(server, [...attempts]));
  try {
    return await raceAbort(Promise.any(attempts), signal);
  } finally {
    scope.abort();
    await Promise.allSettled(attempts);
  }
}
