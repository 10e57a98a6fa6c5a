import type { KubeObject } from '@selvedge/kube';
import type { RequestBody } from '../bodies/types.ts';
import type { HeldResource, ObjectName, Replica } from '../replica/types.ts';
import type { HubRequest, HubResponse } from '../request.ts';
import { type ResourceRequest, heldResource } from '../request-info/index.ts';

/** A request that changes something, or has something made. */
export interface Write {
  readonly request: HubRequest;
  readonly about: ResourceRequest;
  readonly resource: HeldResource;
  readonly at: ObjectName;
}

/** One row of the table of what is answered while the cloud is away. */
export interface Row {
  /** Names the row in metrics. */
  readonly name: string;
  accepts(write: Write): boolean;
  /** It keeps what it is told in the replica, to be sent on later. Default false. */
  readonly laysOver?: boolean;
  /** Undefined: not here, not now. */
  answer(write: Write): Promise<HubResponse | undefined>;
  /** While the cloud is there, too: the answer to what it need not hear of. */
  spare?(write: Write): HubResponse | undefined;
  /** Told of what the API server answered to such a request. */
  heard?(write: Write, response: HubResponse): void;
}

export function writeOf(request: HubRequest, about: ResourceRequest): Write {
  const { namespace, name } = about;
  return { request, about, resource: heldResource(about), at: { namespace, name } };
}

export const requestBody = ({ headers, body = new Uint8Array() }: HubRequest): RequestBody => ({
  contentType: headers['content-type'],
  bytes: body,
});

export function shownObject(
  replica: Pick<Replica, 'reader'>,
  resource: HeldResource,
  at: ObjectName,
): KubeObject | undefined {
  const shown = replica.reader(resource).get(at);
  return shown === undefined ? undefined : (JSON.parse(shown.json) as KubeObject);
}
