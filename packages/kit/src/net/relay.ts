import type { Duplex } from 'node:stream';
import { breakOff } from './break-off.ts';

/** Resolves once the stream is closed, with the error that broke it, if one did. */
function ended(stream: Duplex): Promise<Error | undefined> {
  const { promise, resolve } = Promise.withResolvers<Error | undefined>();
  // Further errors of a stream that is broken already are nobody's.
  stream.on('error', () => undefined);
  const settle = (): void => {
    const complete = stream.readableEnded && stream.writableFinished;
    resolve(complete ? undefined : (stream.errored ?? new Error('closed before its end')));
  };
  if (stream.closed) settle();
  else stream.once('close', settle);
  return promise;
}

/**
 * Joins two streams: bytes both ways, each end of one direction passed on by itself (a half-close), a break of either by
 * breaking the other with the same error. Both are owned from here on. Resolves once both are closed, with the error that
 * came first, if one did. Sockets are to be `allowHalfOpen`, else the first end closes both directions.
 */
export async function relay(left: Duplex, right: Duplex): Promise<Error | undefined> {
  let failure: Error | undefined;
  const pass = async (from: Duplex, to: Duplex): Promise<void> => {
    const error = await ended(from);
    if (error === undefined) return;
    failure ??= error;
    breakOff(to, failure);
  };
  const passed = Promise.all([pass(left, right), pass(right, left)]);
  left.pipe(right);
  right.pipe(left);
  await passed;
  return failure;
}
