import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Http2ServerRequest, type Http2ServerResponse, constants } from 'node:http2';
import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type SelvedgeError,
  aborted,
  isAbort,
  messageOf,
  raceAbort,
  scoped,
} from '@selvedge/kit';
import { type Quota, type ResponseStream, pieceBytes, respond } from '../../listen/index.ts';
import { errorResponse } from '../answers/index.ts';
import type { Caller, HubHandler, HubResponse } from '../request.ts';
import type { Authenticator } from './authenticator.ts';
import type { BodyReader, HeldBody } from './body.ts';
import type { ByteShares, HeldBytes, Holder } from './byte-shares.ts';
import { countPieces } from './count-pieces.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import type { Link } from './link.ts';
import { isOwnPage } from './own-pages.ts';
import { type Target, targetOf } from './target.ts';

export type Incoming = IncomingMessage | Http2ServerRequest;
export type Outgoing = ServerResponse | Http2ServerResponse;

/** One request and where its answer goes. */
export interface Exchange {
  readonly request: Incoming;
  readonly response: Outgoing;
  readonly link: Link;
  /** Settles when the answers before it on the same connection are through. */
  readonly turn?: Promise<unknown>;
}

export interface ExchangeDeps {
  readonly authenticator: Authenticator;
  readonly bodies: BodyReader;
  /** Answers on their way. */
  readonly unsent: ByteShares;
  readonly quota: Quota;
  readonly handler: HubHandler;
  readonly ownPages: HubHandler;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: RequestMetrics;
  /** Aborts when the hub is about to stop; the reason is the answer to whoever comes then. */
  readonly ending: AbortSignal;
}

export interface RequestMetrics {
  answered(method: string, status: number): void;
  /** A streamed answer was broken off to make room for others. */
  cut(): void;
}

export function createRequestMetrics(metrics: MetricsRegistry): RequestMetrics {
  const requests = metrics.counter({
    name: 'selvedge_hub_requests_total',
    help: 'Requests of local clients, by method and status of the answer.',
  });
  const cuts = metrics.counter({
    name: 'selvedge_hub_answers_cut_total',
    help: 'Streamed answers that clients did not take, broken off to make room for others.',
  });
  return {
    answered: (method, status) => requests.add({ method, code: String(status) }),
    cut: () => cuts.add(),
  };
}

const noBody: HeldBody = { bytes: undefined, [Symbol.dispose]: () => undefined };

function declaredLength({ headers }: Incoming): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

function readBody(
  request: Incoming,
  at: { bodies: BodyReader; holder: Holder; signal: AbortSignal },
): Promise<HeldBody> {
  const declared = declaredLength(request);
  const announced = declared !== undefined || request.headers['transfer-encoding'] !== undefined;
  const ended = 'stream' in request ? request.stream.endAfterHeaders : !announced;
  if (!ended) return at.bodies.read({ source: request, declared }, at.holder, at.signal);
  // Node resets an HTTP/2 stream that nobody reads as soon as its answer is written, be it sent or not.
  request.resume();
  return Promise.resolve(noBody);
}

/** What would stay and cannot end by itself, as a watch can, is broken off. */
function endingOf({ info, longRunning }: Target, ending: AbortSignal): AbortSignal | undefined {
  const watches = info.kind === 'resource' && info.verb === 'watch';
  return longRunning && !watches ? ending : undefined;
}

const holderOf = ({ kind, user }: Caller, { remoteAddress }: Link): Holder => ({
  user: user.username,
  remoteAddress,
  isNode: kind === 'node',
});

/** Breaks a streamed answer off, so that its client does not take what it has for the whole. */
function cutter({ response }: Exchange, { log, metrics }: ExchangeDeps): (why: SelvedgeError) => void {
  return (why) => {
    log.info('an answer that its client did not take made room for others', { error: why });
    metrics.cut();
    response.destroy(why);
  };
}

/** A whole answer counts, but for what is written of it at once; of a streamed one what is on its way. */
function counting(body: HubResponse['body'], held: HeldBytes): HubResponse['body'] {
  if (!(body instanceof Uint8Array)) return countPieces(body, held);
  held.grow(Math.max(0, body.byteLength - pieceBytes));
  return body;
}

async function answer(
  exchange: Exchange,
  target: Target,
  at: { deps: ExchangeDeps; signal: AbortSignal },
): Promise<void> {
  const { request, response, link } = exchange;
  const { deps } = at;
  const { method, path, query, longRunning } = target;
  deps.ending.throwIfAborted();
  using scope = scoped(at.signal, endingOf(target, deps.ending));
  const { signal } = scope;
  const caller = await deps.authenticator.callerOf(link, request.headers, signal);
  const holder = holderOf(caller, link);
  using counted = deps.quota.enter(caller.user.username, longRunning ? 'longRunning' : 'request');
  using body = await readBody(request, { bodies: deps.bodies, holder, signal });
  const handle = isOwnPage(path) ? deps.ownPages : deps.handler;
  const handled = handle({
    method: method === 'HEAD' ? 'GET' : method,
    path,
    query,
    headers: requestHeaders(request.headers),
    body: body.bytes,
    caller,
    signal,
    ending: deps.ending,
  });
  const given = longRunning ? await raceAbort(handled, deps.ending) : await handled;
  const whole = given.body instanceof Uint8Array;
  using held = deps.unsent.hold(holder, whole ? undefined : cutter(exchange, deps));
  const sent = { ...given, body: counting(given.body, held), headers: responseHeaders(given.headers) };
  deps.metrics.answered(method, given.status);
  await respond(response as ResponseStream, sent, { withoutBody: method === 'HEAD', signal });
}

/** A request whose body was not read to its end leaves its connection, or its stream, useless; a stop all of them. */
function closing({ request, response }: Exchange, ending: AbortSignal): Record<string, string> {
  if (!('stream' in request)) return request.complete && !ending.aborted ? {} : { connection: 'close' };
  if (request.complete) return {};
  response.once('finish', () => request.stream.close(constants.NGHTTP2_NO_ERROR));
  return {};
}

const methodNotAllowed = 405;
const allow = { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE' };

async function fail(
  exchange: Exchange,
  error: unknown,
  { deps, signal }: { deps: ExchangeDeps; signal: AbortSignal },
): Promise<void> {
  const { request, response } = exchange;
  const method = request.method ?? '';
  if (response.headersSent) {
    // The client must not take what it has for the whole.
    deps.log.debug('answer broke off', { method, error });
    response.destroy(error instanceof Error ? error : new Error(messageOf(error)));
    return;
  }
  const refusal = errorResponse(error);
  const { status } = refusal;
  if (status === 500) deps.log.warn('request failed', { method, url: request.url, error });
  deps.metrics.answered(method, status);
  await respond(response as ResponseStream, refusal, {
    withoutBody: method === 'HEAD',
    headers: { ...closing(exchange, deps.ending), ...(status === methodNotAllowed ? allow : {}) },
    signal,
  });
}

/** Answers one request. Never rejects: what goes wrong is the client's answer, or ends it. */
export async function serveExchange(
  exchange: Exchange,
  deps: ExchangeDeps,
  stopped: AbortSignal,
): Promise<void> {
  const { request, response, link, turn } = exchange;
  using scope = scoped(stopped, link.closed);
  response.on('error', () => undefined);
  request.on('error', () => undefined);
  response.once('close', () => scope.abort(aborted('the request')));
  try {
    if (turn !== undefined) await raceAbort(turn, scope.signal);
    const target = targetOf(request.method ?? '', request.url ?? '');
    await answer(exchange, target, { deps, signal: scope.signal });
  } catch (error) {
    if (isAbort(error, scope.signal)) response.destroy();
    else await fail(exchange, error, { deps, signal: scope.signal }).catch(() => response.destroy());
  }
}
