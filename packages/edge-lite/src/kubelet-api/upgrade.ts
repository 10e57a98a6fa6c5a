import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, SelvedgeError, aborted, scoped } from '@selvedge/kit';
import { connectTcp } from '@selvedge/kit/net';
import { type Upgraded, defaultTimeouts, upgrade as askForUpgrade } from '@selvedge/kube';
import { type Upgrade, type WholeAnswer, headOf, join, refuseOn, serveUpgrade } from '@selvedge/kit/serve';
import { refusalOf } from './errors.ts';
import { type ExchangeDeps, admitted, labelOf, pathLabel } from './exchange.ts';
import type { Link } from './link.ts';
import { type Router, targetOf } from './routing/index.ts';

export type UpgradeDeps = ExchangeDeps & { readonly clock: Clock };

type UpgradeRequest = Upgrade<Link>;

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
export function passUpgrade(upgrade: UpgradeRequest, deps: UpgradeDeps, stopped: AbortSignal): Promise<void> {
  const { request } = upgrade;
  const { log, metrics, router } = deps;
  const refuse = (error: unknown): WholeAnswer => {
    const refusal = refusalOf(error);
    metrics.answered(labelOf(request, router), request.method ?? '', refusal.status);
    return refusal;
  };
  return serveUpgrade(upgrade, { pass: (signal) => pass(upgrade, deps, signal), refuse, log }, stopped);
}
