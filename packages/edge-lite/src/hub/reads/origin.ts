import { hasCode } from '@selvedge/kit';
import { unavailable, type Autonomy } from '../answers/index.ts';
import type { HubResponse } from '../request.ts';
import type { Read, ReadsDeps, ReadsOptions } from './types.ts';

/** Undefined while the cloud can be reached, or nobody knows yet that it cannot. */
export function autonomyNow(options: ReadsOptions, deps: Pick<ReadsDeps, 'upstream'>): Autonomy | undefined {
  const { connectivity } = deps.upstream;
  if (connectivity.kind !== 'offline') return undefined;
  return { nodeName: options.nodeName, sinceMs: connectivity.sinceMs };
}

/** `pods "web" in namespace "shop"`. */
export function describe({ info }: Read): string {
  const name = info.name === '' ? '' : ` ${JSON.stringify(info.name)}`;
  const where = info.namespace === '' ? '' : ` in namespace ${JSON.stringify(info.namespace)}`;
  const what = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`;
  return `${what}${name}${where}`;
}

export function notAvailable(autonomy: Autonomy, read: Read): Error {
  return unavailable(autonomy, describe(read));
}

/**
 * Upstream's answer while the cloud can be reached, else what this node has. A link that turns out to be gone counts as
 * gone.
 */
export async function upstreamElse(
  read: Read,
  { options, deps }: { readonly options: ReadsOptions; readonly deps: ReadsDeps },
  local: (autonomy: Autonomy) => Promise<HubResponse>,
): Promise<HubResponse> {
  const autonomy = autonomyNow(options, deps);
  if (autonomy !== undefined) return await local(autonomy);
  try {
    return await deps.forward(read.request);
  } catch (error) {
    if (!hasCode(error, 'Unavailable', 'DeadlineExceeded') || read.request.signal.aborted) throw error;
    const since = error.details['offlineSinceMs'];
    return await local({
      nodeName: options.nodeName,
      sinceMs: typeof since === 'number' ? since : deps.clock.now(),
    });
  }
}
