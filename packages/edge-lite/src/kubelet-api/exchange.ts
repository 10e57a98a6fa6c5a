import type { IncomingHttpHeaders } from 'node:http';
import { type Logger, SelvedgeError, scoped } from '@selvedge/kit';
import {
  type Answer,
  type Exchange,
  type Quota,
  type WholeAnswer,
  respond,
  serveExchange,
} from '@selvedge/kit/serve';
import { refusalOf } from './errors.ts';
import type { Guard } from './guard.ts';
import type { KubeletApiLimits } from './limits.ts';
import type { Link } from './link.ts';
import type { KubeletApiMetrics } from './metrics.ts';
import { type Match, type Router, type Target, targetOf } from './routing/index.ts';
import type { KubeletRequest } from './types.ts';

export interface ExchangeDeps {
  readonly guard: Guard;
  readonly router: Router;
  readonly quota: Quota;
  readonly limits: Pick<KubeletApiLimits, 'streamIdleMs'>;
  readonly log: Logger;
  readonly metrics: KubeletApiMetrics;
  /** Aborts when answers that have no end of their own are ended. */
  readonly ending: AbortSignal;
}

/** What handlers see of a request's headers. */
const shown = ({ authorization: _authorization, ...headers }: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/** `/exec`, of routes only: what clients make up is not counted by its name. */
export const pathLabel = (match: Match | undefined): string =>
  match === undefined ? 'other' : `/${match.route.path.split('/')[1] ?? ''}`;

/** Who may not ask is told so before he learns what there is. */
export async function admitted(
  { request, link }: Pick<Exchange<Link>, 'request' | 'link'>,
  { guard, router }: Pick<ExchangeDeps, 'guard' | 'router'>,
  signal: AbortSignal,
): Promise<{ readonly match: Match; readonly target: Target; readonly asked: KubeletRequest }> {
  const target = targetOf(request.method ?? '', request.url ?? '');
  const user = await guard.admit({ link, headers: request.headers, target }, signal);
  const match = router.match(target);
  const { method, path, query } = target;
  const { params } = match;
  const asked = { method, path, params, query, headers: shown(request.headers), user, signal };
  return { match, target, asked };
}

/** Matched as far as it goes, to be counted under its name. */
export function labelOf(
  { method = '', url = '' }: { readonly method?: string | undefined; readonly url?: string | undefined },
  router: Router,
): string {
  try {
    return pathLabel(router.match(targetOf(method, url)));
  } catch {
    return pathLabel(undefined);
  }
}

const upgradeRequired = (): SelvedgeError =>
  new SelvedgeError('Upgrade request required', { code: 'Invalid' });

async function answer(exchange: Exchange<Link>, deps: ExchangeDeps, signal: AbortSignal): Promise<void> {
  const { response } = exchange;
  const { match, target, asked } = await admitted(exchange, deps, signal);
  const { route } = match;
  if (route.kind === 'stream') throw upgradeRequired();
  const longRunning = route.longRunning?.(target.query) === true;
  // People who page through a log may leave it alone for long.
  if (longRunning) exchange.request.socket.setTimeout(deps.limits.streamIdleMs);
  using counted = deps.quota.enter(asked.user.username, longRunning ? 'longRunning' : 'request');
  using scope = scoped(signal, longRunning ? deps.ending : undefined);
  const given: Answer = await route.handle({ ...asked, signal: scope.signal });
  deps.metrics.answered(pathLabel(match), target.method, given.status);
  await respond(response, given, { withoutBody: false, signal: scope.signal });
}

/** Answers one request. Never rejects: what goes wrong is the client's answer, or ends it. */
export async function answerExchange(
  exchange: Exchange<Link>,
  deps: ExchangeDeps,
  stopped: AbortSignal,
): Promise<void> {
  const { request } = exchange;
  const { method = '', url = '' } = request;
  const { log, metrics, router } = deps;
  const refuse = (error: unknown): WholeAnswer => {
    const refusal = refusalOf(error);
    if (refusal.status === 500) log.warn('kubelet API request failed', { method, url, error });
    metrics.answered(labelOf(request, router), method, refusal.status);
    return refusal;
  };
  // No route takes a body.
  request.resume();
  await serveExchange(exchange, { answer: (signal) => answer(exchange, deps, signal), refuse, log }, stopped);
}
