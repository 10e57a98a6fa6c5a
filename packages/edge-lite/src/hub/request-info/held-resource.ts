import type { Attributes } from '../access/types.ts';
import type { HeldResource, ObjectName } from '../replica/types.ts';
import type { RequestInfo, ResourceRequest } from './types.ts';

/** The parts of a `HeldResource`. */
export interface ResourceParts {
  /** Empty: the core group. */
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** Only PartialObjectMetadata is held. */
  readonly metadataOnly: boolean;
}

const metadataSuffix = ';metadata';

/** `v1/pods`, `apps/v1/deployments`, `v1/secrets;metadata`. */
export function heldResource(
  of: Pick<ResourceRequest, 'group' | 'version' | 'resource'> & { readonly metadataOnly?: boolean },
): HeldResource {
  const group = of.group === '' ? '' : `${of.group}/`;
  return `${group}${of.version}/${of.resource}${of.metadataOnly === true ? metadataSuffix : ''}`;
}

/** The inverse of `heldResource`. */
export function resourceParts(held: HeldResource): ResourceParts {
  const metadataOnly = held.endsWith(metadataSuffix);
  const words = (metadataOnly ? held.slice(0, -metadataSuffix.length) : held).split('/');
  const [resource = '', version = '', group = ''] = words.toReversed();
  return { group, version, resource, metadataOnly };
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(held: HeldResource): string {
  const { group, version } = resourceParts(held);
  return group === '' ? version : `${group}/${version}`;
}

/** Where the object of a request is: namespaces are in none, whatever their path says. */
export function placeOf({
  group,
  resource,
  namespace,
  name,
}: Pick<ResourceRequest, 'group' | 'resource' | 'namespace' | 'name'>): ObjectName {
  return { namespace: group === '' && resource === 'namespaces' ? '' : namespace, name };
}

/** `pods`, `deployments.apps`: how the API server names a resource in its messages. */
export function groupResource(of: Pick<ResourceRequest, 'group' | 'resource'>): string {
  return of.group === '' ? of.resource : `${of.resource}.${of.group}`;
}

/** What is to be allowed for a request. */
export function attributesOf(info: RequestInfo): Attributes {
  if (info.kind === 'nonResource') return { kind: 'nonResource', verb: info.verb, path: info.path };
  const { rest: _rest, verbInPath: _verbInPath, ...attributes } = info;
  return attributes;
}
