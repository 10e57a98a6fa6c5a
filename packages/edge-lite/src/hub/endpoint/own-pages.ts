import type { MetricsRegistry } from '@selvedge/kit';
import { forbidden, statusError } from '../answers/index.ts';
import type { Access } from '../access/types.ts';
import type { Caller, HubRequest, HubResponse } from '../request.ts';

export interface OwnPagesDeps {
  readonly access: Pick<Access, 'authorize'>;
  readonly metrics: Pick<MetricsRegistry, 'render'>;
  /** What a person should know of the hub; JSON to be. */
  readonly status: () => object;
}

/** Pages of the hub itself, below `/selvedge/`. */
export type OwnPages = (request: HubRequest) => Promise<HubResponse>;

export const isOwnPage = (path: string): boolean => path === '/selvedge' || path.startsWith('/selvedge/');

const page = (type: string, text: string): HubResponse => ({
  status: 200,
  headers: { 'content-type': type, 'cache-control': 'no-cache, private' },
  body: Buffer.from(text),
});

function pageOf(path: string, { status, metrics }: OwnPagesDeps): HubResponse {
  if (path === '/selvedge/status') {
    return page('application/json', `${JSON.stringify(status(), undefined, 2)}\n`);
  }
  if (path === '/selvedge/metrics') return page('text/plain; version=0.0.4; charset=utf-8', metrics.render());
  throw statusError('NotFound', 'the hub has /selvedge/status and /selvedge/metrics');
}

/** The node and operators may; others if they may read the API server's own metrics. */
async function mayRead(caller: Caller, { access }: OwnPagesDeps, signal: AbortSignal): Promise<boolean> {
  if (caller.kind === 'node' || caller.kind === 'operator') return true;
  const wanted = { kind: 'nonResource', verb: 'get', path: '/metrics' } as const;
  return (await access.authorize(caller.user, wanted, signal)).allowed;
}

export function createOwnPages(deps: OwnPagesDeps): OwnPages {
  return async ({ path, method, caller, signal }) => {
    if (method !== 'GET') {
      const facts = { status: 405, reason: 'MethodNotAllowed' };
      throw statusError('Unsupported', `the method ${method} is not allowed`, facts);
    }
    if (await mayRead(caller, deps, signal)) return pageOf(path, deps);
    throw forbidden(
      caller.user,
      { kind: 'nonResource', verb: 'get', path },
      'it takes the right to get /metrics',
    );
  };
}
