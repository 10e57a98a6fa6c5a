import { type MetricsRegistry, hasCode } from '@selvedge/kit';
import { type Answer, textAnswer } from '@selvedge/kit/serve';
import type { DelegatedAccess } from '@selvedge/kube';
import { type Asked, type Handler, credentialOf } from '../serving/index.ts';

/** Whether one thing is as it should be, now. */
export type Check = () => boolean;

export interface HealthDeps {
  readonly access: DelegatedAccess;
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
  unavailable: textAnswer(503, 'the API server cannot be asked\n'),
} as const;

/**
 * `/livez` and `/readyz` for anybody, who learns nothing else, as of the components of Kubernetes; `/metrics` for who may
 * `get` that path, as the API server says.
 */
export function createHealth({ access, metrics, ready }: HealthDeps): Handler {
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
    const { signal } = asked;
    try {
      const user = await access.authenticate(credentialOf(asked), signal);
      const attributes = { kind: 'nonResource', verb: 'get', path: '/metrics' } as const;
      const { allowed } = await access.authorize({ user, attributes }, signal);
      if (!allowed) return refusals.forbidden;
    } catch (error) {
      signal.throwIfAborted();
      return hasCode(error, 'Unauthenticated') ? refusals.unauthorized : refusals.unavailable;
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
