import type { ConfigMap, Node, Pod, PodStatus, Secret, Service } from '@selvedge/kube/types';

/** The API objects that a pod's life depends on, by the plural resource names of the API. */
export interface SourceObjects {
  readonly pods: Pod;
  readonly services: Service;
  readonly configmaps: ConfigMap;
  readonly secrets: Secret;
  readonly nodes: Node;
}
export type SourceResource = keyof SourceObjects;

export interface ObjectRef {
  readonly resource: SourceResource;
  /** Absent for cluster-scoped objects. */
  readonly namespace?: string;
  readonly name: string;
}

/** What is known of one object. `absent` is only said where a synced list or an answer of the API proves it. */
export type Lookup<T> =
  | { readonly kind: 'present'; readonly object: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown' };

/**
 * The API objects of this node as the pod module reads them. Filled by reflectors, later by the hub; what it returns
 * survives a restart and is served while the cloud is away.
 */
export interface ObjectSource {
  get<T>(ref: ObjectRef): Lookup<T>;
  /**
   * Every object held of `resource`, or of those in one namespace: this node's pods, all services, the followed config
   * maps and secrets.
   */
  list<R extends SourceResource>(resource: R, namespace?: string): readonly SourceObjects[R][];
  /**
   * True once the held set of `resource` was complete at some time, also before a restart. Never of config maps and
   * secrets, of which only single objects are held: their absence is told by `get`.
   */
  synced(resource: SourceResource): boolean;
  /** Calls back after each change with what changed; all changes if the subscriber may have missed some. */
  subscribe(resource: SourceResource, changed: (ref: ObjectRef) => void): Disposable;
  /**
   * Keeps one config map or secret up to date until disposed. Counted: each caller disposes its own. What is held from
   * earlier is `unknown` at first, until it is confirmed or the API server proves to be out of reach.
   */
  follow(ref: ObjectRef): Disposable;
}

export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Where the pod module reports. Both calls return at once; delivery, retries and order per pod are the sink's. */
export interface StatusSink {
  /** The pod's whole desired status; the sink patches what differs from what the API holds. */
  put(pod: PodRef, status: PodStatus): void;
  /** The pod's containers and volumes are gone: the API object may go too (delete, grace period 0, UID precondition). */
  terminated(pod: PodRef, status: PodStatus): void;
}

export interface ServiceAccountToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** What the API server granted: not more than it was asked for, and less where it has a maximum. */
  readonly lifetimeSeconds: number;
}

export interface TokenQuery {
  readonly pod: PodRef;
  readonly serviceAccount: string;
  /** Empty: the API server's default audience. */
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
}

/** Bound service-account tokens (TokenRequest). Rejects with `Unavailable` while the cloud is away. */
export interface TokenSource {
  request(query: TokenQuery, signal: AbortSignal): Promise<ServiceAccountToken>;
}

export interface PodEvent {
  readonly type: 'Normal' | 'Warning';
  /** The kubelet's reason, such as `Pulled`, `Started`, `BackOff`. */
  readonly reason: string;
  readonly message: string;
  /** `spec.containers{name}`, when the event is about one container. */
  readonly fieldPath?: string;
}

/** Records events about pods; aggregated and rate-limited behind. */
export interface PodEvents {
  record(pod: PodRef, event: PodEvent): void;
}
