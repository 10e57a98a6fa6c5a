import type { KubeObject, ObjectRef, Resource } from '@selvedge/kube';

/** One write of the cluster, as data. */
export type ClusterWrite =
  /** Fails with `AlreadyExists` if it is there. */
  | { readonly kind: 'create'; readonly resource: Resource<KubeObject>; readonly object: KubeObject }
  /** Server-side apply: the same a second time is nothing. */
  | { readonly kind: 'apply'; readonly resource: Resource<KubeObject>; readonly object: KubeObject }
  /** RFC 7386. With a resourceVersion in it, it fails with `Conflict` if somebody was faster. */
  | {
      readonly kind: 'merge';
      readonly resource: Resource<KubeObject>;
      readonly at: ObjectRef;
      readonly body: object;
    }
  /** Not being there is what is wanted. */
  | { readonly kind: 'delete'; readonly resource: Resource<KubeObject>; readonly at: ObjectRef };

/** A write with its words. */
export interface ClusterChange {
  /** As in `PlanPart`. */
  readonly where: string;
  /** As in `PlannedChange`. */
  readonly what: string;
  readonly write: ClusterWrite;
}
