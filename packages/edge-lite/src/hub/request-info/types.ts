/** A request for a resource of the API. Texts are empty where the request does not say them. */
export interface ResourceRequest {
  readonly kind: 'resource';
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, `proxy`; empty: no such method. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  /** Plural, as in the path: `pods`. */
  readonly resource: string;
  readonly subresource: string;
  /** Of the path; for list and watch also what the field selector asks `metadata.name` to be. */
  readonly name: string;
  /** What follows the subresource: the rest of a proxied path, decoded. */
  readonly rest: readonly string[];
  /** The verb was part of the path: `/api/v1/watch/pods`. Selectors count for nothing there when rights are checked. */
  readonly verbInPath: boolean;
  /** As they were sent; of list, watch and deletecollection only. */
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

/** Anything else: discovery, OpenAPI, health, metrics. */
export interface NonResourceRequest {
  readonly kind: 'nonResource';
  /** The method in lower case. */
  readonly verb: string;
  /** As it was sent. */
  readonly path: string;
}

export type RequestInfo = ResourceRequest | NonResourceRequest;
