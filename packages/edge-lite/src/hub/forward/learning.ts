import type { KubeObject } from '@selvedge/kube';
import type { ResourceRequest } from '../request-info/index.ts';

/** Subresources whose answer is the object itself. Any other has a type of its own: Scale, TokenRequest, Status. */
const ofObject: ReadonlySet<string> = new Set([
  '',
  'approval',
  'ephemeralcontainers',
  'finalize',
  'resize',
  'status',
]);

/** Whether answers are objects of the resource. */
export function answersObjects({ subresource }: ResourceRequest): boolean {
  return ofObject.has(subresource);
}

/** Going through a list of an earlier moment. */
const historic = (query: URLSearchParams): boolean =>
  query.has('continue') || query.get('resourceVersionMatch') === 'Exact';

/** After a deletion: something still waits for, so the object is there. */
function lingers({ metadata }: KubeObject): boolean {
  if (metadata.deletionTimestamp === undefined) return false;
  return (metadata.deletionGracePeriodSeconds ?? 0) > 0 || (metadata.finalizers ?? []).length > 0;
}

/** Whether an object in the answer is what upstream holds now, so that the replica may take it over. */
export function learnsFrom(
  request: ResourceRequest,
  query: URLSearchParams,
): (object: KubeObject) => boolean {
  if (request.verb === 'watch' || query.has('dryRun') || historic(query)) return () => false;
  if (request.verb === 'delete' || request.verb === 'deletecollection') return lingers;
  return () => true;
}
