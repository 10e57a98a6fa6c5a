import type { KubeObject, ObjectRef, Resource, Selection } from '@selvedge/kube';

/** A right, as a SelfSubjectAccessReview names it. Plain JSON. */
export interface Right {
  /** Empty: the core group. */
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  /** Absent: the cluster scope, or all namespaces. */
  readonly namespace?: string;
  readonly name?: string;
}

/** Something that the person may not read. Plain JSON. */
export interface Unread {
  /** The one that is missing. */
  readonly right: Right;
  /** What the API server said: who lacks it. */
  readonly why: string;
}

/** What came of a read. `absent`: there is no such object, or no such resource. */
export type Seen<T> =
  | { readonly kind: 'seen'; readonly value: T }
  | { readonly kind: 'absent' }
  | ({ readonly kind: 'unread' } & Unread);

/** Reads what the person may read, and remembers what not. All else that goes wrong is thrown. */
export interface Reading {
  /** Each once, in the order in which they were tried. */
  readonly unread: readonly Unread[];
  get<T extends KubeObject>(resource: Resource<T>, at: ObjectRef): Promise<Seen<T>>;
  /** All of them. */
  list<T extends KubeObject>(resource: Resource<T>, selection?: Selection): Promise<Seen<readonly T[]>>;
}
