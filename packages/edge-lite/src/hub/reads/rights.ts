import { hasCode } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import { forbidden } from '../answers/index.ts';
import type { CoverageSpec } from '../replica/types.ts';
import { attributesOf, heldResource } from '../request-info/index.ts';
import { matchesSelection } from '../selection/index.ts';
import type { Read, ReadsParts } from './types.ts';

/** Whether the caller may list and watch what holds the object: then it can read it anyway. */
async function mayFollow({ request }: Read, spec: CoverageSpec, deps: ReadsParts): Promise<boolean> {
  try {
    using hold = await deps.coverages.join({ spec, caller: request.caller }, request.signal);
    return !hold.revoked.aborted;
  } catch (error) {
    if (hasCode(error, 'Unavailable', 'Forbidden')) return false;
    throw error;
  }
}

/** What is asked for, by whatever is known of it here. */
export interface Sought {
  /** Nothing but the object. */
  readonly spec: CoverageSpec;
  /** JSON; undefined: it is not held. */
  readonly shown: string | undefined;
}

/** Sets that are followed here and have the object in them: the kubelet's are of the pods of its node, not of one. */
function setsWith(
  { info }: Read,
  { spec, shown }: Sought,
  { coverages }: ReadsParts,
): readonly CoverageSpec[] {
  if (shown === undefined) return [spec];
  const resource = heldResource(info);
  const object = JSON.parse(shown) as KubeObject;
  const sets = coverages.all.map(({ record }) => record).filter((record) => record.resource === resource);
  return [spec, ...sets.filter((record) => matchesSelection(resource, record, object) === true)];
}

/**
 * Whether the caller may get the object; undefined: nobody can tell now. Throws `Forbidden`, as the API server says it,
 * when it is known that it may not.
 */
export async function mayGet(read: Read, sought: Sought, deps: ReadsParts): Promise<true | undefined> {
  const { request, info } = read;
  const { user } = request.caller;
  try {
    const decision = await deps.access.authorize(user, attributesOf(info), request.signal);
    if (decision.allowed) return true;
    throw forbidden(user, info, decision.reason);
  } catch (error) {
    if (!hasCode(error, 'Unavailable')) throw error;
  }
  if (deps.points.hasRead(info, user)) return true;
  for (const spec of setsWith(read, sought, deps)) {
    if (await mayFollow(read, spec, deps)) return true;
  }
  return undefined;
}
