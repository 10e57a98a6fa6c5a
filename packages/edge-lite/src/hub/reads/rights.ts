import { hasCode } from '@selvedge/kit';
import { forbidden } from '../answers/index.ts';
import type { CoverageSpec } from '../replica/types.ts';
import { attributesOf } from '../request-info/index.ts';
import type { Read, ReadsDeps } from './types.ts';

/** Whether the caller may list and watch what holds the object: then it can read it anyway. */
async function mayFollow({ request }: Read, spec: CoverageSpec, deps: ReadsDeps): Promise<boolean> {
  try {
    using hold = await deps.coverages.join(spec, request.caller, request.signal);
    return !hold.revoked.aborted;
  } catch (error) {
    if (hasCode(error, 'Unavailable', 'Forbidden')) return false;
    throw error;
  }
}

/**
 * Whether the caller may get the object; undefined: nobody can tell now. Throws `Forbidden`, as the API server says it,
 * when it is known that it may not.
 */
export async function mayGet(read: Read, spec: CoverageSpec, deps: ReadsDeps): Promise<true | undefined> {
  const { request, info } = read;
  const { user } = request.caller;
  try {
    const decision = await deps.access.authorize(user, attributesOf(info), request.signal);
    if (decision.allowed) return true;
    throw forbidden(user, info, decision.reason);
  } catch (error) {
    if (!hasCode(error, 'Unavailable')) throw error;
    return (await mayFollow(read, spec, deps)) ? true : undefined;
  }
}
