import { type MetricsRegistry, hasCode } from '@selvedge/kit';
import { type Answer, bearerTokenOf, textAnswer } from '@selvedge/kit/serve';
import type { DelegatedAccess } from '@selvedge/kube';
import type { Asked, Authenticate, Handler } from '../serving/index.ts';

/** Whether one thing is as it should be, now. */
export type Check = () => boolean;

export interface HealthDeps {
  readonly access: Pick<DelegatedAccess, 'authorize'>;
  readonly authenticate: Authenticate;
  readonly metrics: MetricsRegistry;
  /** By name. All of them hold: ready. */
  readonly ready: Readonly<Record<string, Check>>;
}

const contentType = 'text/plain; version=0.0.4; charset=utf-8';

const ok = textAnswer(200, 'ok\n');
const refusals = {
  notReady: textAnswer(503, 'not ready\n'),
  unauthorized: textAnswer(401, 'Unauthorized\n'),
  forbidden: textAnswer(403, 'Forbidden\n'),
  notFound: textAnswer(404, 'not found\n'),
  notAllowed: textAnswer(405, 'method not allowed\n'),
  often: textAnswer(429, 'too many unknown tokens\n'),
  unavailable: textAnswer(503, 'the API server cannot be asked\n'),
} as const;

function refusalOf(error: unknown): Answer {
  if (hasCode(error, 'Unauthenticated')) return refusals.unauthorized;
  return hasCode(error, 'ResourceExhausted') ? refusals.often : refusals.unavailable;
}

/**
 * `/livez` and `/readyz` for anybody, who learns nothing else, as of the components of Kubernetes; `/metrics` for who may
 * `get` that path, as the API server says.
 */
export function createHealth({ access, authenticate, metrics, ready }: HealthDeps): Handler {
  const readiness = metrics.gauge({
    name: 'selvedge_manager_ready',
    help: 'Whether each check of /readyz holds.',
  });
  const isReady = (): boolean => {
    const results = Object.entries(ready).map(([check, holds]) => {
      const good = holds();
      readiness.set(good ? 1 : 0, { check });
      return good;
    });
    return results.every(Boolean);
  };
  const render = async (asked: Asked): Promise<Answer> => {
    const { request, link, signal } = asked;
    try {
      const user = await authenticate({ ...link, bearerToken: bearerTokenOf(request.headers) }, signal);
      const attributes = { kind: 'nonResource', verb: 'get', path: '/metrics' } as const;
      const { allowed } = await access.authorize({ user, attributes }, signal);
      if (!allowed) return refusals.forbidden;
    } catch (error) {
      signal.throwIfAborted();
      return refusalOf(error);
    }
    isReady();
    return textAnswer(200, metrics.render(), contentType);
  };
  return async (asked) => {
    const { request } = asked;
    const [path = '/'] = (request.url ?? '/').split('?');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refusals.notAllowed;
    if (path === '/livez') return ok;
    if (path === '/readyz') return isReady() ? ok : refusals.notReady;
    return path === '/metrics' ? render(asked) : refusals.notFound;
  };
}
