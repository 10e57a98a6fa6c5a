import { type Http2ServerRequest, constants } from 'node:http2';
import { type Logger, aborted, isAbort, messageOf, raceAbort, scoped } from '../index.ts';
import type { WholeAnswer } from './answer.ts';
import type { Link } from './link.ts';
import type { Exchange, Upgrade } from './protocol.ts';
import { refuseOn } from './refuse-on.ts';
import { respond } from './respond.ts';

/** How one request is answered. */
export interface Answering {
  /** Sends the answer. What it rejects with is answered by `refuse`, or ends an answer that has begun. */
  readonly answer: (signal: AbortSignal) => Promise<void>;
  readonly refuse: (error: unknown) => WholeAnswer;
  readonly log: Logger;
  /** No more is asked on the connection. Default: it is kept. */
  readonly isLast?: () => boolean;
}

/** A request whose body was not read to its end leaves its connection, or its stream, useless. */
function closing<L>({ request, response }: Exchange<L>, isLast: boolean): Record<string, string> {
  if (!('stream' in request)) return request.complete && !isLast ? {} : { connection: 'close' };
  const { stream, complete }: Http2ServerRequest = request;
  if (!complete) response.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
  return {};
}

async function fail<L>(
  exchange: Exchange<L>,
  error: unknown,
  { answering, signal }: { readonly answering: Answering; readonly signal: AbortSignal },
): Promise<void> {
  const { request, response } = exchange;
  const { method = '' } = request;
  if (response.headersSent) {
    // The client must not take what it has for the whole.
    answering.log.debug('answer broke off', { method, error });
    response.destroy(error instanceof Error ? error : new Error(messageOf(error)));
    return;
  }
  const refusal = answering.refuse(error);
  const headers = closing(exchange, answering.isLast?.() ?? false);
  await respond(response, refusal, { withoutBody: method === 'HEAD', headers, signal });
}

/**
 * Serves one request when its turn comes. Its signal aborts when the client is gone or `stopped` aborts. Never rejects: what
 * goes wrong is the client's answer, or ends it.
 */
export async function serveExchange<L extends Pick<Link, 'closed'>>(
  exchange: Exchange<L>,
  answering: Answering,
  stopped: AbortSignal,
): Promise<void> {
  const { request, response, link, turn } = exchange;
  using scope = scoped(stopped, link.closed);
  const { signal } = scope;
  response.on('error', () => undefined);
  request.on('error', () => undefined);
  response.once('close', () => scope.abort(aborted('the request')));
  try {
    if (turn !== undefined) await raceAbort(turn, signal);
    await answering.answer(signal);
  } catch (error) {
    if (isAbort(error, signal)) response.destroy();
    else await fail(exchange, error, { answering, signal }).catch(() => response.destroy());
  }
}

/** How one connection is turned over to another protocol. */
export interface Passing {
  /** Resolves at the end of the connection. What it rejects with is answered by `refuse` if nothing was. */
  readonly pass: (signal: AbortSignal) => Promise<void>;
  readonly refuse: (error: unknown) => WholeAnswer;
  readonly log: Logger;
}

/** Serves one such request to the end of its connection. Never rejects. */
export async function serveUpgrade<L>(
  { socket, request }: Upgrade<L>,
  { pass, refuse, log }: Passing,
  stopped: AbortSignal,
): Promise<void> {
  using scope = scoped(stopped);
  socket.on('error', () => undefined);
  socket.once('close', () => scope.abort(aborted('the connection')));
  try {
    await pass(scope.signal);
  } catch (error) {
    log.debug('upgraded connection ended', { method: request.method, error });
    const isOver = isAbort(error, scope.signal) || socket.writableEnded || socket.destroyed;
    if (isOver) socket.destroy();
    else refuseOn(socket, refuse(error));
  }
}
