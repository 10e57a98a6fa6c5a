import type { HubRequest, HubResponse } from '../request.ts';
import type { ResourceRequest } from '../request-info/index.ts';

/** Answers of the API server that are given again while it is away. */
export interface AnswerMemory {
  /** Told of each answer while online. */
  heard(request: HubRequest, about: ResourceRequest, response: HubResponse): void;
  /** The answer to give while the API server is away. Undefined: nothing is known. */
  recall(request: HubRequest, about: ResourceRequest): HubResponse | undefined;
}
