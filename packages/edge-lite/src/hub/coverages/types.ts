import type { Service } from '@selvedge/kit';
import type { CoverageRecord, CoverageSpec } from '../replica/types.ts';
import type { Caller } from '../request.ts';

/** Whose credentials run a list-watch. */
export type Sponsor =
  | { readonly kind: 'node' }
  /** A token that the hub asks for, bound to a pod of this node. */
  | { readonly kind: 'pod'; readonly namespace: string; readonly serviceAccount: string }
  | { readonly kind: 'configured'; readonly client: string };

export type CoverageState =
  /** The first list is under way; nothing complete is held. */
  | { readonly kind: 'filling' }
  /** Following; as current as the link. */
  | { readonly kind: 'live' }
  /** Complete once, upstream is out of reach. */
  | { readonly kind: 'stale'; readonly sinceMs: number }
  /** Nobody may run it now: complete once or never, but not resumed. */
  | { readonly kind: 'suspended'; readonly reason: string };

/** One upstream list-watch, shared by all who ask for the same or less. */
export interface Coverage {
  readonly record: CoverageRecord;
  readonly state: CoverageState;
  /** Who runs it, or ran it last without having been refused since. */
  readonly running: Sponsor | undefined;
  /** Resolves once the set is complete (at once if it ever was). Rejects with the upstream's refusal, or the signal. */
  whenSynced(signal: AbortSignal): Promise<void>;
  /** Resolves once it is `live` (at once if it is): then what is held is what upstream says now. */
  whenLive(signal: AbortSignal): Promise<void>;
}

/** Held as long as somebody reads; a coverage that nobody holds expires after a while, never while offline. */
export interface CoverageHold extends Disposable {
  readonly coverage: Coverage;
  /**
   * Aborts when the holder's right was withdrawn: the reason is a `Forbidden` error. Also when nobody may run the coverage
   * any more: then it is an `Aborted` one, and the holder comes again.
   */
  readonly revoked: AbortSignal;
}

/** Somebody who wants to read something. */
export interface Wish {
  readonly spec: CoverageSpec;
  readonly caller: Caller;
  /** What he does with it, and must be allowed to. Undefined: both. */
  readonly verb?: 'list' | 'watch' | undefined;
}

export interface Coverages extends Service {
  /**
   * Joins a coverage that answers the wish, or opens one. The caller must be allowed what he does: asked upstream,
   * remembered. Rejects with `Forbidden` as the API server says it; with `Unavailable` when nobody who is allowed both to
   * list and to watch may run it, and offline when nothing held answers it or nothing proves the right; with
   * `ResourceExhausted` when there are too many already.
   */
  join(wish: Wish, signal: AbortSignal): Promise<CoverageHold>;
  /** A synced coverage that holds the object if it exists. */
  covering(spec: CoverageSpec): Coverage | undefined;
  readonly all: readonly Coverage[];
}
