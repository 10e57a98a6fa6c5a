import type { SelvedgeError } from '@selvedge/kit';
import { groupResource, type RequestInfo, type ResourceRequest } from '../request-info/index.ts';
import type { UserInfo } from '../request.ts';
import { statusError, type StatusFacts } from './status.ts';

/** What a message is about. */
type Target = Pick<ResourceRequest, 'group' | 'resource' | 'name'>;

const detailsOf = ({ group, resource, name }: Target): StatusFacts => ({ name, group, kind: resource });

export function notFound(target: Target): SelvedgeError {
  const message = `${groupResource(target)} ${JSON.stringify(target.name)} not found`;
  return statusError('NotFound', message, detailsOf(target));
}

export function badRequest(message: string): SelvedgeError {
  return statusError('Invalid', message);
}

/** A list or watch whose version is gone; the client lists anew, or goes on with `token` if there is one. */
export function expired(message: string, token?: string): SelvedgeError {
  return statusError('Gone', message, token === undefined ? {} : { continue: token });
}

function cannot(user: UserInfo, info: RequestInfo): string {
  const who = `User ${JSON.stringify(user.username)} cannot ${info.verb}`;
  if (info.kind === 'nonResource') return `${who} path ${JSON.stringify(info.path)}`;
  const { resource, subresource, group, namespace } = info;
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `${who} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`;
}

/** As the API server says it. `reason` is what the authorizer gave, possibly nothing. */
export function forbidden(user: UserInfo, info: RequestInfo, reason: string): SelvedgeError {
  const why = reason === '' ? cannot(user, info) : `${cannot(user, info)}: ${reason}`;
  const target: Target = info.kind === 'resource' ? info : { group: '', resource: '', name: '' };
  const what = [groupResource(target), target.name === '' ? '' : JSON.stringify(target.name)];
  const prefix = what.filter((word) => word !== '').join(' ');
  const message = prefix === '' ? `forbidden: ${why}` : `${prefix} is forbidden: ${why}`;
  return statusError('Forbidden', message, detailsOf(target));
}

export interface FieldProblem {
  readonly field: string;
  readonly reason: 'FieldValueForbidden' | 'FieldValueNotSupported' | 'FieldValueInvalid';
  /** `Forbidden: …`, `Unsupported value: …`. */
  readonly message: string;
}

/** As the API server refuses an object: `kind` is `ListOptions.meta.k8s.io`. */
export function invalidFields(kind: string, problems: readonly FieldProblem[]): SelvedgeError {
  const texts = problems.map(({ field, message }) => `${field}: ${message}`);
  const what = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const [name = '', ...group] = kind.split('.');
  return statusError('Invalid', `${kind} "" is invalid: ${what}`, {
    status: 422,
    reason: 'Invalid',
    group: group.join('.'),
    kind: name,
    causes: problems.map(({ field, reason, message }) => ({ reason, message, field })),
  });
}
