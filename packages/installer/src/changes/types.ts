import type { JsonPatchOperation, KubeObject, ObjectRef, Resource } from '@selvedge/kube';

/** One write of the cluster, as data. */
export type ClusterWrite =
  /** Fails with `AlreadyExists` if it is there. */
  | { readonly kind: 'create'; readonly resource: Resource<KubeObject>; readonly object: KubeObject }
  /** Server-side apply: the same a second time is nothing. */
  | { readonly kind: 'apply'; readonly resource: Resource<KubeObject>; readonly object: KubeObject }
  /** RFC 6902. A `test` in it that does not hold is `Conflict`: somebody was faster. */
  | {
      readonly kind: 'json';
      readonly resource: Resource<KubeObject>;
      readonly at: ObjectRef;
      readonly operations: readonly JsonPatchOperation[];
    }
  /** RFC 7386. */
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
