import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { type MetricsRegistry, hasCode } from '@selvedge/kit';
import type { Credential, DelegatedAccess } from '@selvedge/kube';
import type { Handler, Reply } from '../serving/index.ts';

/** Whether one thing is as it should be, now. */
export type Check = () => boolean;

export interface HealthDeps {
  readonly access: DelegatedAccess;
  readonly metrics: MetricsRegistry;
  /** By name. All of them hold: ready. */
  readonly ready: Readonly<Record<string, Check>>;
}

const contentType = 'text/plain; version=0.0.4; charset=utf-8';

const ok: Reply = { status: 200, body: 'ok\n' };
const refusals = {
  notReady: { status: 503, body: 'not ready\n' },
  unauthorized: { status: 401, body: 'Unauthorized\n' },
  forbidden: { status: 403, body: 'Forbidden\n' },
  notFound: { status: 404, body: 'not found\n' },
  notAllowed: { status: 405, body: 'method not allowed\n' },
  unavailable: { status: 503, body: 'the API server cannot be asked\n' },
} as const satisfies Record<string, Reply>;

/** What a request shows; a certificate's key was proved by TLS, its signer is for `access` to judge. */
function credentialOf(request: IncomingMessage): Credential {
  const { socket } = request;
  const peer = socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined;
  const [, bearerToken] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
  return { certificate: peer?.raw, bearerToken };
}

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
  const render = async (request: IncomingMessage, signal: AbortSignal): Promise<Reply> => {
    try {
      const user = await access.authenticate(credentialOf(request), signal);
      const attributes = { kind: 'nonResource', verb: 'get', path: '/metrics' } as const;
      const { allowed } = await access.authorize({ user, attributes }, signal);
      if (!allowed) return refusals.forbidden;
    } catch (error) {
      signal.throwIfAborted();
      return hasCode(error, 'Unauthenticated') ? refusals.unauthorized : refusals.unavailable;
    }
    isReady();
    return { status: 200, body: metrics.render(), contentType };
  };
  return async (request, signal) => {
    const [path = '/'] = (request.url ?? '/').split('?');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refusals.notAllowed;
    if (path === '/livez') return ok;
    if (path === '/readyz') return isReady() ? ok : refusals.notReady;
    return path === '/metrics' ? render(request, signal) : refusals.notFound;
  };
}
