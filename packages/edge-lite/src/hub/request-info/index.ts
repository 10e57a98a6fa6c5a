export {
  apiVersionOf,
  attributesOf,
  groupResource,
  heldResource,
  placeOf,
  resourceParts,
  type ResourceParts,
} from './held-resource.ts';
export { flagOf, parseRequestInfo } from './request-info.ts';
export type { NonResourceRequest, RequestInfo, ResourceRequest } from './types.ts';
