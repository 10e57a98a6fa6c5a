import { type Logger, type MetricsRegistry, type SelvedgeError, raceAbort, scoped } from '@selvedge/kit';
import {
  type BodyReader,
  type ByteShares,
  type Exchange,
  type HeldBody,
  type HeldBytes,
  type Holder,
  type Quota,
  type WholeAnswer,
  pieceBytes,
  respond,
  serveExchange,
} from '@selvedge/kit/serve';
import { errorResponse } from '../answers/index.ts';
import type { Caller, HubHandler, HubResponse } from '../request.ts';
import type { Authenticator } from './authenticator.ts';
import { countPieces } from './count-pieces.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import type { Link } from './link.ts';
import { isOwnPage } from './own-pages.ts';
import { type Target, targetOf } from './target.ts';

type Incoming = Exchange<Link>['request'];

export interface ExchangeDeps {
  readonly authenticator: Authenticator;
  readonly bodies: BodyReader;
  /** Answers on their way. */
  readonly unsent: ByteShares;
  readonly quota: Quota;
  readonly handler: HubHandler;
  readonly ownPages: HubHandler;
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
  isReserved: kind === 'node',
});

/** Breaks a streamed answer off, so that its client does not take what it has for the whole. */
function cutter({ response }: Exchange<Link>, { log, metrics }: ExchangeDeps): (why: SelvedgeError) => void {
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
  exchange: Exchange<Link>,
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
  await respond(response, sent, { withoutBody: method === 'HEAD', signal });
}

const methodNotAllowed = 405;
const allow = { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE' };

/** Answers one request. Never rejects: what goes wrong is the client's answer, or ends it. */
export function answerExchange(
  exchange: Exchange<Link>,
  deps: ExchangeDeps,
  stopped: AbortSignal,
): Promise<void> {
  const { method = '', url = '' } = exchange.request;
  const { log, metrics, ending } = deps;
  const refuse = (error: unknown): WholeAnswer => {
    const refusal = errorResponse(error);
    const { status, headers } = refusal;
    if (status === 500) log.warn('request failed', { method, url, error });
    metrics.answered(method, status);
    return status === methodNotAllowed ? { ...refusal, headers: { ...headers, ...allow } } : refusal;
  };
  const answering = {
    answer: (signal: AbortSignal) => answer(exchange, targetOf(method, url), { deps, signal }),
    refuse,
    log,
    isLast: () => ending.aborted,
  };
  return serveExchange(exchange, answering, stopped);
}
