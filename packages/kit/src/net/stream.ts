import { SelvedgeError } from '../errors.ts';

interface Closable {
  once(event: 'close', listener: () => void): unknown;
}

/** The reason of an aborted signal as an Error, which is what streams want. */
function abortError(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new SelvedgeError('aborted', { code: 'Aborted', cause: reason });
}

/** Calls `destroy` when `signal` aborts. Lets go of the signal once the stream is closed. */
export function destroyOnAbort(stream: Closable, signal: AbortSignal, destroy: (error: Error) => void): void {
  const onAbort = (): void => {
    destroy(abortError(signal));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  stream.once('close', () => {
    signal.removeEventListener('abort', onAbort);
  });
  if (signal.aborted) onAbort();
}

/** The server did not look at the request: sending it again is safe, whatever its method. */
export function refused(host: string, cause?: unknown): SelvedgeError {
  return new SelvedgeError(`${host} refused the request before it was handled`, {
    code: 'Unavailable',
    cause,
    details: { refused: true },
  });
}

/** The connection or the stream broke before the answer was complete. */
export function broken(host: string, cause?: unknown): SelvedgeError {
  return new SelvedgeError(`the connection to ${host} broke`, { code: 'Unavailable', cause });
}
