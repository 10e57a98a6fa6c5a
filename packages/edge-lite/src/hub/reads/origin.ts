import { hasCode } from '@selvedge/kit';
import { stringify } from 'yaml';
import { unavailable, wholeBody, withGzip, type Autonomy } from '../answers/index.ts';
import { flagOf } from '../request-info/index.ts';
import type { HubResponse } from '../request.ts';
import type { Presenter } from './present.ts';
import type { Read, ReadsParts, ReadsOptions } from './types.ts';

/** Undefined while the cloud can be reached, or nobody knows yet that it cannot. */
export function autonomyNow(options: ReadsOptions, deps: Pick<ReadsParts, 'upstream'>): Autonomy | undefined {
  const { connectivity } = deps.upstream;
  if (connectivity.kind !== 'offline') return undefined;
  return { nodeName: options.nodeName, sinceMs: connectivity.sinceMs };
}

/** `pods "web" in namespace "shop"`. */
function describe({ info }: Read): string {
  const name = info.name === '' ? '' : ` ${JSON.stringify(info.name)}`;
  const where = info.namespace === '' ? '' : ` in namespace ${JSON.stringify(info.namespace)}`;
  const what = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`;
  return `${what}${name}${where}`;
}

export function notAvailable(autonomy: Autonomy, read: Read): Error {
  return unavailable(autonomy, describe(read));
}

/** With these upstream says that the reader may not have it, or that there is nothing to have. */
const refusals: ReadonlySet<number> = new Set([403, 404]);

/** Upstream speaks JSON only here; what it says is written as the client wants it. */
async function askUpstream(
  { request, info }: Read,
  { deps, presenter }: OriginContext,
): Promise<HubResponse> {
  const yaml = presenter?.contentType === 'application/yaml';
  const headers = yaml ? { ...request.headers, accept: 'application/json' } : request.headers;
  const response = await deps.forward({ ...request, headers });
  const streams = info.verb === 'watch' && flagOf(request.query, 'sendInitialEvents') === true;
  deps.metrics.answered(streams ? 'stream' : info.verb, 'upstream');
  if (info.verb === 'watch') return response;
  if (refusals.has(response.status)) deps.points.forget(info, request.caller.user);
  const written = yaml && response.status === 200 ? await asYaml(response) : response;
  return await withGzip(written, request.headers['accept-encoding']);
}

async function asYaml(response: HubResponse): Promise<HubResponse> {
  const { 'content-length': _length, ...headers } = response.headers;
  const document: unknown = JSON.parse((await wholeBody(response)).toString('utf8'));
  return {
    ...response,
    headers: { ...headers, 'content-type': 'application/yaml' },
    body: Buffer.from(stringify(document)),
  };
}

export interface OriginContext {
  readonly options: ReadsOptions;
  readonly deps: ReadsParts;
  /** Undefined: as upstream writes it. */
  readonly presenter?: Presenter | undefined;
}

/**
 * Upstream's answer while the cloud can be reached, else what this node has. A link that turns out to be gone counts as
 * gone.
 */
export async function upstreamElse(
  read: Read,
  context: OriginContext,
  local: (autonomy: Autonomy) => Promise<HubResponse>,
): Promise<HubResponse> {
  const { options, deps } = context;
  const autonomy = autonomyNow(options, deps);
  if (autonomy !== undefined) return await local(autonomy);
  try {
    return await askUpstream(read, context);
  } catch (error) {
    if (!hasCode(error, 'Unavailable', 'DeadlineExceeded') || read.request.signal.aborted) throw error;
    const since = error.details['offlineSinceMs'];
    return await local({
      nodeName: options.nodeName,
      sinceMs: typeof since === 'number' ? since : deps.clock.now(),
    });
  }
}
