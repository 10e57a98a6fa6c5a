import type { SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import { type StatusFacts, statusError } from '../answers/index.ts';
import { type ResourceRequest, groupResource } from '../request-info/index.ts';

type Target = Pick<ResourceRequest, 'group' | 'resource' | 'name'>;

const detailsOf = ({ group, resource, name }: Target): StatusFacts => ({ name, group, kind: resource });

/** A precondition that does not hold, in the API server's words. */
export function conflict(target: Target, why: string): SelvedgeError {
  const message = `Operation cannot be fulfilled on ${groupResource(target)} ${JSON.stringify(target.name)}: ${why}`;
  return statusError('Conflict', message, detailsOf(target));
}

/** The version in a request is not the one of now. */
export function modified(target: Target): SelvedgeError {
  const why = 'the object has been modified; please apply your changes to the latest version and try again';
  return conflict(target, why);
}

export function alreadyExists(target: Target): SelvedgeError {
  const message = `${groupResource(target)} ${JSON.stringify(target.name)} already exists`;
  return statusError('AlreadyExists', message, detailsOf(target));
}

/** A write of an object that views changed for its reader, in a form from which that cannot be taken out. */
export function notUndone(
  { kind = 'object', metadata: { name = '' } }: KubeObject,
  format: string,
): SelvedgeError {
  const message = `${kind} ${JSON.stringify(name)} is shown here with what is true on this node only, which a body in ${format} would send to the cloud: send JSON`;
  return statusError('Unsupported', message);
}

/** A write to a list that views changed for its reader. */
export function mixedList(): SelvedgeError {
  const message =
    'a list that is shown here with what is true on this node only was changed: write it at the API server itself';
  return statusError('Invalid', message, { status: 422, reason: 'Invalid' });
}
