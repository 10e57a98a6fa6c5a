import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, SelvedgeError, aborted, isAbort, scoped } from '@selvedge/kit';
import { connectTcp } from '@selvedge/kit/net';
import { type Upgraded, defaultTimeouts, upgrade as askForUpgrade } from '@selvedge/kube';
import { type Http1Upgrade, headOf, join, refuseOn } from '../listen/index.ts';
import { refusalOf } from './errors.ts';
import { type ExchangeDeps, admitted, labelOf, pathLabel } from './exchange.ts';
import type { Link } from './link.ts';
import { type Router, targetOf } from './routing/index.ts';

export type UpgradeDeps = ExchangeDeps & { readonly limits: { readonly streamIdleMs: number } };

type UpgradeRequest = Http1Upgrade<Link>;

/** Whether a request turns its connection over: one of two protocols, where something streams. Others are answered. */
export function isUpgrade({ method = '', url = '', headers }: IncomingMessage, router: Router): boolean {
  if (!/^(spdy\/3\.1|websocket)$/i.test(headers.upgrade ?? '')) return false;
  try {
    return router.isStream(targetOf(method, url).segments);
  } catch {
    return false;
  }
}

/** What the runtime's streaming server needs to know; credentials and what proxies say stay here. */
const passedOn = /^(accept|origin|user-agent|x-stream-protocol-version|sec-websocket-.+)$/;

/** A header that was sent on several lines stays on several. Pure. */
function sentOn(request: IncomingMessage): Readonly<Record<string, string | readonly string[]>> {
  const kept = Object.entries(request.headersDistinct).flatMap(([name, values = []]) =>
    passedOn.test(name) ? [[name, values] as const] : [],
  );
  return { ...Object.fromEntries(kept), connection: 'Upgrade', upgrade: request.headers.upgrade ?? '' };
}

const unreachable = (host: string, cause: unknown): SelvedgeError =>
  new SelvedgeError(`the runtime's streaming server at ${host} cannot be reached`, {
    code: 'Unavailable',
    cause,
  });

/** As the runtime told it: on the loopback address, in plain text. */
async function connectRuntime(
  url: URL,
  { clock }: { readonly clock: Clock },
  signal: AbortSignal,
): Promise<Socket> {
  if (url.protocol !== 'http:') {
    throw new SelvedgeError(`the runtime streams over ${url.protocol} where http: is expected`, {
      code: 'Unsupported',
      hint: 'switch off enable_tls_streaming in the configuration of containerd',
    });
  }
  const { dialMs } = defaultTimeouts;
  return connectTcp({ url, dialMs, allowHalfOpen: true }, clock, signal).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw unreachable(url.host, cause);
  });
}

async function openStream(
  url: URL,
  { request, deps }: { readonly request: IncomingMessage; readonly deps: UpgradeDeps },
  signal: AbortSignal,
): Promise<Upgraded> {
  const socket = await connectRuntime(url, deps, signal);
  const { method = '' } = request;
  const path = `${url.pathname}${url.search}`;
  return askForUpgrade(
    { url, timeouts: defaultTimeouts, request: { method, path, headers: sentOn(request), signal } },
    { clock: deps.clock, socket },
  );
}

/** Bytes both ways until both sides have ended, nothing went for too long, or the node stops. */
async function relay(
  client: Duplex,
  runtime: Socket,
  { deps, signal }: { readonly deps: UpgradeDeps; readonly signal: AbortSignal },
): Promise<void> {
  using scope = scoped(signal);
  runtime.setTimeout(deps.limits.streamIdleMs, () => scope.abort(aborted('an idle stream')));
  try {
    await join(client, runtime, scope.signal);
  } finally {
    deps.metrics.streamed({ toPod: runtime.bytesWritten, fromPod: runtime.bytesRead });
  }
}

async function pass(upgrade: UpgradeRequest, deps: UpgradeDeps, signal: AbortSignal): Promise<void> {
  const { request, socket, head } = upgrade;
  const { match, target, asked } = await admitted(upgrade, deps, signal);
  const { route } = match;
  if (route.kind !== 'stream') throw new SelvedgeError('this path turns nothing over', { code: 'Invalid' });
  using counted = deps.quota.enter(asked.user.username, 'longRunning');
  const url = await route.locate(asked);
  const answer = await openStream(url, { request, deps }, signal);
  deps.metrics.answered(pathLabel(match), target.method, answer.status);
  const headers: IncomingHttpHeaders = answer.headers;
  if (answer.socket === undefined) {
    refuseOn(socket, { ...answer, headers });
    return;
  }
  answer.socket.on('error', () => undefined);
  socket.write(headOf(answer.status, headers));
  if (head.length > 0) answer.socket.write(head);
  await relay(socket, answer.socket, { deps, signal });
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
  const { method = '' } = request;
  try {
    await pass(upgrade, deps, scope.signal);
  } catch (error) {
    deps.log.debug('stream ended', { method, error });
    if (isAbort(error, scope.signal) || socket.writableEnded || socket.destroyed) {
      socket.destroy();
      return;
    }
    const refusal = refusalOf(error);
    deps.metrics.answered(labelOf(request, deps.router), method, refusal.status);
    refuseOn(socket, refusal);
  }
}
