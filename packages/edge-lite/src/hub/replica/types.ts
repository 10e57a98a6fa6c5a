import type { KubeObject } from '@selvedge/kube';

/**
 * One served collection in one version of its API: `v1/pods`, `apps/v1/deployments`; with `;metadata` behind it where
 * only PartialObjectMetadata is held.
 */
export type HeldResource = string;

/** `namespace` is empty in the cluster scope. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/** An object as clients see it: view(overlay(base)). */
export interface Shown extends ObjectName {
  /** The hub's own resourceVersion, see `versions.ts`. */
  readonly version: bigint;
  /** The whole object, its `metadata.resourceVersion` being `version`, `apiVersion` and `kind` included. */
  readonly json: string;
}

/** One step of a resource's history. */
export interface Change extends ObjectName {
  readonly version: bigint;
  /** As it was shown before, as it is shown now. Undefined: it was not there. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export interface PageQuery {
  /** Absent: all. */
  readonly namespace?: string | undefined;
  /** Only what comes after it, in the order of namespace and name. */
  readonly after?: ObjectName | undefined;
  readonly limit: number;
  /** The state at that version. Default: now. */
  readonly at?: bigint | undefined;
}

/**
 * What the replica shows of one resource: one totally ordered history. Every list, watch and object of a resource takes
 * its versions from that one order, whichever coverage brought the change.
 */
export interface ResourceReader {
  readonly resource: HeldResource;
  /** Everything shown so far is at or below it; never goes back while the store lives. */
  readonly version: bigint;
  /** The version of the last change: from there to `version` nothing happened. It is on disk with its change. */
  readonly lastEntry: bigint;
  get(at: ObjectName): Shown | undefined;
  /**
   * At most `limit` objects, fewer where they are large: the last is the one with which their text has 128 Ki characters
   * or more. None: that was all. `expired` when the history does not reach back to `at` any more.
   */
  page(query: PageQuery): readonly Shown[] | 'expired';
  /**
   * At most `limit` changes after `version`, in their order, fewer where they are large, as with pages. `expired` when
   * one may be missing, or of the future.
   */
  changesAfter(version: bigint, limit: number): readonly Change[] | 'expired';
  /**
   * Called after `version` rose. `place` says what the subscriber has read up to, which only rises: what comes after it is
   * kept for him, within a second cap.
   */
  subscribe(rose: () => void, place?: () => bigint): Disposable;
}

/** What one upstream list-watch asks for. Selectors in their canonical string form; empty: everything. */
export interface CoverageSpec {
  readonly resource: HeldResource;
  /** Empty: all namespaces, or the cluster scope. */
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

/** A list-watch as it is kept on disk. */
export interface CoverageRecord extends CoverageSpec {
  readonly id: number;
  /** Resume the upstream watch here; upstream's own version. Empty: nothing was heard yet. */
  readonly upstreamVersion: string;
  /** The held set was complete at some time. */
  readonly synced: boolean;
  /**
   * The hub's version of the first complete list. What went before that was never held, and is in no history. Absent: it
   * was not complete yet.
   */
  readonly completeSince?: string | undefined;
}

export interface CoverageChange {
  readonly type: 'put' | 'delete';
  /** As upstream sent it, with `apiVersion` and `kind`. */
  readonly object: KubeObject;
}

/** A new list of a coverage, taken piece by piece so that it is never in memory as a whole. */
export interface Relist {
  add(objects: readonly KubeObject[]): void;
  /** What was held and not added is gone, but for what is newer than the list. */
  commit(upstreamVersion: string): void;
  /** Leaves things as they are: what was added stays, nothing goes. */
  abandon(): void;
}

/** What local clients changed and upstream has not confirmed. */
export interface OverlayEntry extends ObjectName {
  readonly resource: HeldResource;
  readonly uid: string;
  /** The last upstream version when the first change was made. */
  readonly anchor: KubeObject;
  /** What it became. */
  readonly current: KubeObject;
  /** Milliseconds since the epoch, of the first change. */
  readonly sinceMs: number;
}

export interface OverlayPut {
  readonly resource: HeldResource;
  readonly at: ObjectName;
  /** The whole object as it shall be shown. */
  readonly current: KubeObject;
}

/** Every method that changes something has written it to the store when it returns, in one transaction. */
export interface Replica {
  reader(resource: HeldResource): ResourceReader;
  /** Resources with at least one coverage. */
  resources(): readonly HeldResource[];

  coverages(): readonly CoverageRecord[];
  /** Adds one; the same spec gives the same record. */
  addCoverage(spec: CoverageSpec): CoverageRecord;
  /** Forgets it and what no other coverage holds. */
  dropCoverage(id: number): void;
  /** Changes in their order, and how far upstream is now. */
  apply(id: number, changes: readonly CoverageChange[], upstreamVersion: string): void;
  /**
   * `rewound`: the cluster was restored from a backup, so that versions older than those held are the newer truth.
   * Default false.
   */
  relist(id: number, how?: { readonly rewound: boolean }): Relist;

  /**
   * Takes over an upstream answer of now (a write, or a read that went through) if a coverage holds, or would hold, the
   * object. Returns how what is held is shown: with the views, under the hub's version, whether the answer was taken over
   * or not. Undefined: the object is not held.
   */
  learn(resource: HeldResource, object: KubeObject): KubeObject | undefined;
  /** The last upstream version of an object, without overlay and views. */
  base(resource: HeldResource, at: ObjectName): KubeObject | undefined;
  /**
   * The upstream version for a precondition that a client took from an object that it was shown, here or in an answer
   * that went through; of the latter upstream is the judge. Undefined: that is not what is shown now, so the precondition
   * must fail.
   */
  upstreamVersion(resource: HeldResource, at: ObjectName, shown: string): string | undefined;

  /**
   * How a list that upstream answered with at `upstream` is shown: from the version that is returned, a watch here tells
   * everything that the list had not. It may repeat what the list had already.
   */
  listVersion(resource: HeldResource, upstream: string): string;

  /** On disk, synced, when it returns. Throws `ResourceExhausted` beyond the cap, `NotFound` without a base. */
  putOverlay(put: OverlayPut): Shown;
  /** Undefined: nothing waits for upstream's word. */
  overlay(resource: HeldResource, at: ObjectName): OverlayEntry | undefined;
  overlays(): readonly OverlayEntry[];
  /**
   * It waits no longer: `answer`, what upstream said just now, is the new base. `gone`: upstream has no object of that
   * uid any more. Undefined: upstream said nothing, the base is shown.
   */
  settleOverlay(resource: HeldResource, at: ObjectName, answer: KubeObject | 'gone' | undefined): void;

  /** Shows these objects (default: all of the resource) anew, because an input of the views changed. */
  refresh(resource: HeldResource, names?: readonly ObjectName[]): void;
}

/** Three-way: what local clients changed from `anchor` to `current`, on top of `base`. Pure. */
export type Rebase = (
  resource: HeldResource,
  three: { readonly anchor: KubeObject; readonly current: KubeObject; readonly base: KubeObject },
) => KubeObject;

/** view(object). Pure in its arguments and the view's inputs; returns the same object when nothing is to be done. */
export type ApplyViews = (resource: HeldResource, object: KubeObject) => KubeObject;
