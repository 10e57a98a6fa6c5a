import type { Logger, MetricsRegistry } from '@selvedge/kit';
import { forbidden } from '../answers/index.ts';
import type { HubHandler } from '../request.ts';
import { attributesOf, groupResource, parseRequestInfo, type RequestInfo } from '../request-info/index.ts';
import type { Access } from './types.ts';

export interface OperatorGateDeps {
  readonly access: Pick<Access, 'authorize'>;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

function about(info: RequestInfo): Readonly<Record<string, string>> {
  const { kind, verb } = info;
  if (kind === 'nonResource') return { verb, path: info.path };
  const { subresource, namespace, name } = info;
  return { verb, resource: groupResource(info), subresource, namespace, name };
}

/**
 * Lets operators do what they may, before anybody else sees their requests, and writes each of these to the log: user,
 * verb, what, and the outcome `allowed` or `denied`. Rejects with `Forbidden`. Others pass.
 */
export function createOperatorGate(next: HubHandler, deps: OperatorGateDeps): HubHandler {
  const requests = deps.metrics.counter({
    name: 'selvedge_access_operator_requests_total',
    help: 'Requests of operators.',
  });
  return async (request) => {
    const { caller, signal } = request;
    if (caller.kind !== 'operator') return next(request);
    const info = parseRequestInfo(request.method, request.path, request.query);
    const { allowed, reason } = await deps.access.authorize(caller.user, attributesOf(info), signal);
    const outcome = allowed ? 'allowed' : 'denied';
    requests.add({ outcome });
    deps.log.info('operator request', { user: caller.user.username, ...about(info), outcome });
    if (!allowed) throw forbidden(caller.user, info, reason);
    return next(request);
  };
}
