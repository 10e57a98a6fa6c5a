import type { ClientHttp2Session } from 'node:http2';
import { aborted } from '@selvedge/kit';
import { type Call, type CallRequest, startCall } from './call.ts';
import { callError } from './status.ts';

/** Cancels `call` when `signal` aborts, until it is disposed. */
function cancelOnAbort(call: Call, signal: AbortSignal): Disposable {
  const onAbort = (): void => {
    call.cancel(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/** The one message of a unary call. */
export async function unaryAnswer(
  session: ClientHttp2Session,
  request: CallRequest,
  signal: AbortSignal,
): Promise<Uint8Array> {
  signal.throwIfAborted();
  const { path } = request;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  let answer: Uint8Array | undefined;
  const call = startCall(session, request, {
    message(bytes) {
      if (answer !== undefined) call.cancel(callError(path, 'INTERNAL', { message: 'more than one answer' }));
      answer = bytes;
    },
    end(error) {
      if (error !== undefined) reject(error);
      else if (answer === undefined) reject(callError(path, 'INTERNAL', { message: 'no answer' }));
      else resolve(answer);
    },
  });
  using _ = cancelOnAbort(call, signal);
  return await promise;
}

/** The messages of a server stream. Holds no more than what one chunk off the connection completed. */
export async function* streamedAnswer(
  session: ClientHttp2Session,
  request: CallRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  signal.throwIfAborted();
  const messages: Uint8Array[] = [];
  let ended = false;
  let news = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  end.promise.catch(() => undefined);
  const call = startCall(session, request, {
    message(bytes) {
      messages.push(bytes);
      call.pause();
      news.resolve();
    },
    end(error) {
      ended = true;
      if (error === undefined) end.resolve();
      else end.reject(error);
      news.resolve();
    },
  });
  using _ = cancelOnAbort(call, signal);
  try {
    for (;;) {
      yield* messages.splice(0);
      if (messages.length > 0) continue;
      if (ended) return await end.promise;
      news = Promise.withResolvers();
      call.resume();
      await news.promise;
    }
  } finally {
    call.cancel(aborted('reading the stream'));
  }
}
