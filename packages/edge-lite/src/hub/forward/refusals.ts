import type { SelvedgeError } from '@selvedge/kit';
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
