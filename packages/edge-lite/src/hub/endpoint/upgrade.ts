import type { IncomingMessage } from 'node:http';
import { type Upgrade, type WholeAnswer, headOf, join, refuseOn, serveUpgrade } from '@selvedge/kit/serve';
import { errorResponse, wholeBody } from '../answers/index.ts';
import type { Caller } from '../request.ts';
import type { Upstream } from '../upstream/types.ts';
import type { ExchangeDeps } from './exchange.ts';
import type { Link } from './link.ts';
import { requestHeaders, upgradeHeaders } from './headers.ts';
import { type Target, mayConnect, targetOf } from './target.ts';

export type UpgradeRequest = Upgrade<Link>;

export interface UpgradeDeps
  extends Pick<ExchangeDeps, 'authenticator' | 'quota' | 'handler' | 'metrics' | 'log'> {
  readonly upstream: Pick<Upstream, 'upgrade'>;
}

/**
 * Whether the hub passes this on: SPDY and WebSocket, where something connects. Any other request, a watch over WebSocket for
 * instance, is answered as if it had asked for no other protocol.
 */
export function isUpgrade({ method = '', url = '', headers }: IncomingMessage): boolean {
  if (!/^(spdy\/3\.1|websocket)$/i.test(headers.upgrade ?? '')) return false;
  try {
    return mayConnect(targetOf(method, url));
  } catch {
    return false;
  }
}

/** Operators connect to nothing here: the handler says so, and keeps the record of what they tried. */
async function turnAway(
  { request, socket }: UpgradeRequest,
  { method, path, query }: Target,
  at: { caller: Caller; deps: UpgradeDeps; signal: AbortSignal },
): Promise<void> {
  const { caller, deps, signal } = at;
  const headers = requestHeaders(request.headers);
  const given = await deps.handler({ method, path, query, headers, body: undefined, caller, signal });
  deps.metrics.answered(method, given.status);
  refuseOn(socket, { ...given, body: await wholeBody(given) });
}

async function pass(upgrade: UpgradeRequest, deps: UpgradeDeps, signal: AbortSignal): Promise<void> {
  const { request, socket, head, link } = upgrade;
  const target = targetOf(request.method ?? '', request.url ?? '');
  const { method } = target;
  const caller = await deps.authenticator.callerOf(link, request.headers, signal);
  using counted = deps.quota.enter(caller.user.username, 'longRunning');
  if (caller.kind === 'operator') {
    await turnAway(upgrade, target, { caller, deps, signal });
    return;
  }
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
    refuseOn(socket, answer);
    return;
  }
  answer.socket.on('error', () => undefined);
  socket.write(headOf(answer.status, answer.headers));
  if (head.length > 0) answer.socket.write(head);
  await join(socket, answer.socket, signal);
}

/** Serves one such request to the end of its connection. Never rejects. */
export function passUpgrade(upgrade: UpgradeRequest, deps: UpgradeDeps, stopped: AbortSignal): Promise<void> {
  const refuse = (error: unknown): WholeAnswer => {
    const refusal = errorResponse(error);
    deps.metrics.answered(upgrade.request.method ?? '', refusal.status);
    return refusal;
  };
  return serveUpgrade(upgrade, { ...deps, pass: (signal) => pass(upgrade, deps, signal), refuse }, stopped);
}
