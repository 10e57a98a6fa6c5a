import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';
import { raceAbort, withDeadline } from '../scope.ts';
import { broken } from './stream.ts';

export interface ConnectRequest {
  /** Who is asked, for people. */
  readonly peer: string;
  /** `host:port`, IPv6 in brackets. */
  readonly authority: string;
  /** Beside `host`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the answer is waited for, in milliseconds. */
  readonly timeoutMs: number;
}

/** The head of the answer. */
export interface ConnectAnswer {
  readonly status: number;
  /** The text of the status line. */
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
}

async function exchange(
  stream: Duplex,
  { peer, authority, headers }: ConnectRequest,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asking = request({
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...headers },
    createConnection: () => stream,
  });
  asking.once('connect', (answer, _stream, head) => {
    if (head.length > 0) stream.unshift(head);
    resolve(answer);
  });
  // A server that is none of these answers as to any other request.
  asking.once('response', resolve);
  asking.on('error', (error) => reject(broken(peer, error)));
  asking.once('close', () => reject(broken(peer)));
  asking.end();
  return promise;
}

/**
 * Asks who is at the other end of a connected stream to join it to `authority`, and waits for the answer, whatever it says;
 * what came behind it is put back. Rejects with `Unavailable`, `DeadlineExceeded` or the signal's reason; the stream is the
 * caller's to destroy. Source: RFC 9110 section 9.3.6, `CONNECT`.
 */
export async function askConnect(
  stream: Duplex,
  asked: ConnectRequest,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ConnectAnswer> {
  const wait = { what: `the answer of ${asked.peer}`, timeoutMs: asked.timeoutMs, signal };
  const answer = await withDeadline(wait, clock, (inner) => raceAbort(exchange(stream, asked), inner));
  const { statusCode: status = 0, statusMessage: reason = '', headers } = answer;
  return { status, reason, headers };
}
