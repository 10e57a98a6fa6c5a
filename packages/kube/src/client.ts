import type { KubeObject, ObjectList, ObjectRef } from './object.ts';
import type { Patch } from './patch.ts';
import type { Answer, Call } from './requester.ts';
import type { Resource } from './resource.ts';
import type { Watch, WatchOptions } from './watch/watch.ts';

/** Every call ends, with the signal's reason, when its signal aborts. */
export interface CallOptions {
  readonly signal: AbortSignal;
  /** Bound of the whole call in milliseconds, answer included. Default: none but the four timeouts of the client. */
  readonly timeoutMs?: number | undefined;
}

export interface GetOptions extends CallOptions {
  /** `0`: any version that the server has at hand. Default: the newest. */
  readonly resourceVersion?: string | undefined;
  readonly subresource?: string | undefined;
}

/** Which objects. Selectors in their string form. */
export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** What is sent of each object. */
export interface Projection {
  /** Only its metadata, as `meta.k8s.io/v1` PartialObjectMetadata. Default false. */
  readonly metadataOnly?: boolean | undefined;
}

export interface ListOptions<T = KubeObject> extends CallOptions, Selection, Projection {
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  /**
   * Takes the items as they come, those of one read (16 KiB and the rest of an item, which may have 8 MiB) at a time;
   * the answer has only those that it was not given. Nothing more is read before it resolves. Items that were taken
   * before the call failed are of a list that broke off. Default: the answer has all of them.
   */
  readonly take?: (items: readonly T[]) => void | Promise<void>;
}

export interface ListAllOptions extends CallOptions, Selection, Projection {
  /** Objects per request. Default 500. */
  readonly pageSize?: number | undefined;
  /** A longer list is refused with `ResourceExhausted`. Default 100,000. */
  readonly maxObjects?: number | undefined;
}

export interface WriteOptions extends CallOptions {
  readonly fieldManager?: string | undefined;
  /** Everything but storing it. */
  readonly dryRun?: boolean | undefined;
  readonly subresource?: string | undefined;
}

export interface SubresourceOptions<B> extends Omit<WriteOptions, 'subresource'> {
  readonly body: B;
}

export interface PatchOptions extends WriteOptions {
  readonly patch: Patch;
  /** Server-side apply only: take over fields that others manage. */
  readonly force?: boolean | undefined;
}

export interface DeleteOptions extends CallOptions {
  /** Default: the object's own. 0 deletes at once. */
  readonly gracePeriodSeconds?: number | undefined;
  /** `Conflict` if the object has another uid or version by now. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly dryRun?: boolean | undefined;
}

export interface RawCall extends Omit<Call, 'signal'>, CallOptions {}

/**
 * A typed client of one cluster. Errors are `SelvedgeError`s: the API server's answer as `status.ts` maps it
 * (`NotFound`, `AlreadyExists`, `Conflict`, `Gone`, `Invalid`, `Forbidden`, `Unauthenticated`, …), `Unavailable` when no
 * server could be reached or the connection broke, `DeadlineExceeded` when one of the timeouts passed,
 * `ResourceExhausted` for answers beyond their cap. Objects of lists and watches carry `apiVersion` and `kind`.
 */
export interface KubeClient {
  /** `host:port` of the server in use. */
  readonly server: string;
  get<T extends KubeObject>(resource: Resource<T>, at: ObjectRef, options: GetOptions): Promise<T>;
  /** One page. */
  list<T extends KubeObject>(resource: Resource<T>, options: ListOptions<T>): Promise<ObjectList<T>>;
  /** All pages of one consistent list; starts anew when the server forgot it half-way. */
  listAll<T extends KubeObject>(
    resource: Resource<T>,
    options: ListAllOptions,
  ): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }>;
  /** In the namespace that the object's metadata name. */
  create<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions): Promise<T>;
  /** POSTs a subresource with a type of its own: a service account's `token`, a pod's `binding` or `eviction`. */
  createSubresource<B extends KubeObject>(
    resource: Resource<KubeObject>,
    at: ObjectRef & { readonly subresource: string },
    options: SubresourceOptions<B>,
  ): Promise<B>;
  /** `Conflict` if the object's resourceVersion is not the current one. */
  replace<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(resource: Resource<T>, at: ObjectRef, options: PatchOptions): Promise<T>;
  /** Resolves when the server accepted it: with a grace period or finalizers the object is still there. */
  delete<T extends KubeObject>(resource: Resource<T>, at: ObjectRef, options: DeleteOptions): Promise<void>;
  deleteCollection<T extends KubeObject>(
    resource: Resource<T>,
    options: DeleteOptions & Selection,
  ): Promise<void>;
  /** One watch request; resolves when the server has accepted it. See `createReflector` for one that goes on. */
  watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): Promise<Watch<T>>;
  /** Any request. The body is as the server sent it, unzipped. */
  raw(call: RawCall): Promise<Answer>;
  /** Ends all requests and connections. */
  close(): Promise<void>;
}
