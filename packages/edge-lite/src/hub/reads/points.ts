import { FairMap } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';
import type { ResourceRequest } from '../request-info/index.ts';
import { nodeUser } from '../access/index.ts';
import { heldResource } from '../request-info/index.ts';
import type { HeldResource, ObjectName } from '../replica/types.ts';
import type { Caller, UserInfo } from '../request.ts';

export interface PointEntriesOptions {
  readonly nodeName: string;
  /** Objects that are remembered, those of the node's own kubelet apart, which has as many for itself. Default 1,000. */
  readonly maxEntries?: number;
  /** Of these, read by one user; beyond it his least recently used is forgotten. Default 250. */
  readonly maxEntriesPerUser?: number;
  /** Larger objects are not remembered, in characters of JSON. Default 256 Ki. */
  readonly maxObjectLength?: number;
}

export interface PointEntriesDeps {
  readonly runtime: RuntimeRepository;
  /** Whether the object is held anyway. */
  readonly held: (request: ResourceRequest) => boolean;
}

/**
 * Objects that somebody got one by one, where no coverage holds them: volumes, claims, certificates. They are given to
 * nobody but the identity that read them. On disk, sealed.
 */
export interface PointEntries {
  /** Told of each object that its reader got with a GET of its own, as it was shown to him. */
  remember(request: ResourceRequest, caller: Caller, object: KubeObject): void;
  /** Told that its reader was refused, or that there is no such object: what he read before is not his any more. */
  forget(request: ResourceRequest, user: UserInfo): void;
  /** Whether it got the object itself some time: then it may have it again, be it held by a coverage. */
  hasRead(request: ResourceRequest, user: UserInfo): boolean;
  /** JSON; undefined as well while a coverage holds the object. */
  recall(request: ResourceRequest, user: UserInfo): string | undefined;
  /** Whether anybody has read the object. */
  knows(resource: HeldResource, at: ObjectName): boolean;
}

const kind: RuntimeKind<string> = { name: 'hub-point', sealed: true };

/** Heartbeats: old ones are worth nothing and new ones come all the time. */
const transient: ReadonlySet<string> = new Set(['leases', 'events']);

const objectKey = (resource: HeldResource, { namespace, name }: ObjectName): string =>
  [resource, resource === 'v1/namespaces' ? '' : namespace, name].join('\n');

/** First the user name. */
function keyOf(request: ResourceRequest, { username, uid = '' }: UserInfo): string {
  return [username, uid, objectKey(heldResource(request), request)].join('\n');
}

const ownerOf = (key: string): string => key.slice(0, key.indexOf('\n'));

const isWhole = (request: ResourceRequest): boolean =>
  request.verb === 'get' && request.subresource === '' && request.name !== '';

/** In the place of an object of which only the right to read it is to be remembered. */
const heldElsewhere = '';

const withoutVersion = (json: string): string => json.replace(/"resourceVersion":"\d+"/, '');

export function createPointEntries(options: PointEntriesOptions, deps: PointEntriesDeps): PointEntries {
  const maxLength = options.maxObjectLength ?? 256 * 1024;
  const own = nodeUser(options.nodeName);
  const known = new FairMap<string, true>({
    capacity: options.maxEntries ?? 1_000,
    capacityPerOwner: options.maxEntriesPerUser ?? 250,
    isReserved: (owner) => owner === own,
    onEvict: (key) => deps.runtime.delete(kind, key),
  });
  for (const { key } of deps.runtime.list(kind)) known.set(ownerOf(key), key, true);
  return {
    remember(request, { user }, object) {
      if (!isWhole(request) || transient.has(request.resource)) return;
      const json = deps.held(request) ? heldElsewhere : JSON.stringify(object);
      if (object.kind === 'PartialObjectMetadata' || object.kind === 'Table' || json.length > maxLength)
        return;
      const key = keyOf(request, user);
      known.set(user.username, key, true);
      const old = deps.runtime.get(kind, key);
      if (old !== undefined && withoutVersion(old) === withoutVersion(json)) return;
      deps.runtime.put(kind, { key, document: json }, { durable: false });
    },
    forget(request, user) {
      const key = keyOf(request, user);
      if (isWhole(request) && known.delete(key)) deps.runtime.delete(kind, key);
    },
    hasRead: (request, user) => isWhole(request) && known.get(keyOf(request, user)) !== undefined,
    recall(request, user) {
      const key = keyOf(request, user);
      const json = known.get(key) === undefined ? undefined : deps.runtime.get(kind, key);
      return json === heldElsewhere ? undefined : json;
    },
    knows(resource, at) {
      const end = `\n${objectKey(resource, at)}`;
      return [...known.keys()].some((key) => key.endsWith(end));
    },
  };
}
