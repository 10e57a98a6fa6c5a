import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from './object.ts';

/** One resource of the API, with the type of its objects as they are on the wire. */
export interface Resource<T extends KubeObject> {
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  /** Empty where it is not known: then the objects of a list are of the kind that the list says. */
  readonly kind: string;
  /** Plural, lower case: the word in the URL. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never there: it carries the type. */
  readonly object?: T;
}

/** Describes a resource, also of a CRD or of a group that this package does not know. */
export function defineResource<T extends KubeObject = KubeObject>(
  resource: Omit<Resource<T>, 'object'>,
): Resource<T> {
  return resource;
}

/** `pods`, `deployments.apps`: the name of a resource in logs and metrics. */
export function resourceName(resource: Resource<KubeObject>): string {
  const slash = resource.apiVersion.indexOf('/');
  return slash < 0 ? resource.plural : `${resource.plural}.${resource.apiVersion.slice(0, slash)}`;
}

export interface PathOptions {
  /** Absent: the cluster scope, or all namespaces of a namespaced resource. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

function segment(what: string, value: string): string {
  if (value === '' || value === '.' || value === '..' || /[/%]/.test(value)) {
    throw new SelvedgeError(`${what} ${JSON.stringify(value)} cannot be part of a path`, { code: 'Invalid' });
  }
  return encodeURIComponent(value);
}

/**
 * The URL path of a resource. Throws `Invalid` on names that would change the path.
 * Source: kubernetes.io "Kubernetes API Concepts", resource URIs.
 */
export function resourcePath(resource: Resource<KubeObject>, options: PathOptions = {}): string {
  const { namespace, name, subresource } = options;
  const parts = [resource.apiVersion.includes('/') ? '/apis' : '/api', resource.apiVersion];
  if (resource.namespaced && namespace !== undefined)
    parts.push('namespaces', segment('namespace', namespace));
  parts.push(resource.plural);
  if (name !== undefined) {
    if (resource.namespaced && namespace === undefined) {
      throw new SelvedgeError(`${resource.kind} ${name} needs a namespace`, { code: 'Invalid' });
    }
    parts.push(segment('name', name));
  }
  if (subresource !== undefined)
    parts.push(...subresource.split('/').map((part) => segment('subresource', part)));
  return parts.join('/');
}
