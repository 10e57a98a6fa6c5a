import { type IncomingHttpHeaders, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { aborted, isAbort, scoped } from '@selvedge/kit';
import { errorResponse, statusError } from '../answers/index.ts';
import type { Upstream } from '../upstream/types.ts';
import type { ExchangeDeps } from './exchange.ts';
import { join } from './join.ts';
import type { Link } from './link.ts';
import { upgradeHeaders } from './headers.ts';
import { targetOf } from './target.ts';

/** A request for another protocol on the same connection: SPDY or WebSocket, as `kubectl exec` sends it. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the request. */
  readonly head: Buffer;
  readonly link: Link;
}

export interface UpgradeDeps extends Pick<ExchangeDeps, 'authenticator' | 'quota' | 'metrics' | 'log'> {
  readonly upstream: Pick<Upstream, 'upgrade'>;
}

/** Whether the hub passes this protocol on; a request for another is answered as if it had asked for none. */
export const isUpgrade = ({ headers }: IncomingMessage): boolean =>
  /^(spdy\/3\.1|websocket)$/i.test(headers.upgrade ?? '');

type Fields = IncomingHttpHeaders | Readonly<Record<string, string>>;

function lines(headers: Fields): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${name}: ${one ?? ''}`),
  );
}

const headOf = (status: number, headers: Fields): string =>
  [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines(headers), '', ''].join('\r\n');

/** Writes a whole answer on a bare connection and ends it. */
export function refuseOn(
  socket: Duplex,
  status: number,
  { headers, body }: { headers: Fields; body: Uint8Array },
): void {
  const { 'transfer-encoding': _chunked, 'keep-alive': _alive, ...kept } = headers;
  const own = { ...kept, 'content-length': String(body.byteLength), connection: 'close' };
  socket.end(Buffer.concat([Buffer.from(headOf(status, own)), body]));
}

async function pass(upgrade: UpgradeRequest, deps: UpgradeDeps, signal: AbortSignal): Promise<void> {
  const { request, socket, head, link } = upgrade;
  const { method, path, info } = targetOf(request.method ?? '', request.url ?? '');
  const caller = await deps.authenticator.callerOf(link, request.headers, signal);
  if (info.kind === 'nonResource')
    throw statusError('NotFound', `nothing at ${path} speaks another protocol`);
  using counted = deps.quota.enter(caller.user.username, 'longRunning');
  const headers = upgradeHeaders(request.headers);
  const answer = await deps.upstream.upgrade(caller, {
    method,
    path: request.url ?? '',
    headers,
    longRunning: true,
    signal,
  });
  deps.metrics.answered(method, answer.status);
  if (answer.socket === undefined) {
    refuseOn(socket, answer.status, answer);
    return;
  }
  answer.socket.on('error', () => undefined);
  socket.write(headOf(answer.status, answer.headers));
  if (head.length > 0) answer.socket.write(head);
  await join(socket, answer.socket, signal);
}

/** Serves one such request to the end of its connection. Never rejects. */
export async function serveUpgrade(
  upgrade: UpgradeRequest,
  deps: UpgradeDeps,
  stopped: AbortSignal,
): Promise<void> {
  const { socket, request } = upgrade;
  using scope = scoped(stopped);
  socket.on('error', () => undefined);
  socket.once('close', () => scope.abort(aborted('the connection')));
  const method = request.method ?? '';
  try {
    await pass(upgrade, deps, scope.signal);
  } catch (error) {
    deps.log.debug('upgraded connection ended', { method, error });
    if (isAbort(error, scope.signal) || socket.writableEnded || socket.destroyed) socket.destroy();
    else refuse(socket, error, deps);
  }
}

function refuse(socket: Duplex, error: unknown, { metrics }: UpgradeDeps): void {
  const { status, headers, body } = errorResponse(error);
  metrics.answered('GET', status);
  refuseOn(socket, status, { headers, body: body instanceof Uint8Array ? body : Buffer.alloc(0) });
}
