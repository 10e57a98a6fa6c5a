import type { HubHandler, HubRequest } from '../request.ts';
import { type RequestInfo, parseRequestInfo } from '../request-info/index.ts';

export interface ServeDeps {
  /** Discovery, OpenAPI, version, health; whatever is no resource. */
  readonly documents: HubHandler;
  /** GET, LIST and WATCH of resources. */
  readonly reads: HubHandler;
  /** Everything that changes something. */
  readonly writes: HubHandler;
  /** Passes a request on. */
  readonly forward: HubHandler;
  /** The own node's Lease has a life of its own. */
  readonly lease: { readonly handle: HubHandler; owns(request: HubRequest): boolean };
}

export type Part = Exclude<keyof ServeDeps, 'lease'>;

const reading: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/** Who answers. Subresources have answers of their own, but for the status, which is the object. Pure. */
export function partFor(info: RequestInfo): Part {
  if (info.kind === 'nonResource') return 'documents';
  if (!reading.has(info.verb)) return 'writes';
  return info.subresource === '' || info.subresource === 'status' ? 'reads' : 'forward';
}

/** The hub's one handler. */
export function createServe(deps: ServeDeps): HubHandler {
  return async (request) => {
    if (deps.lease.owns(request)) return deps.lease.handle(request);
    return deps[partFor(parseRequestInfo(request.method, request.path, request.query))](request);
  };
}
