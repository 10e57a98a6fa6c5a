import { allocate, natural } from './versions.ts';

/**
 * How far one resource is. A value: each step gives a new one, which counts once it is on disk or, for what may be
 * lost, once the disk promises that nothing higher was handed out.
 */
export interface Order {
  /** The watermark: everything shown so far is at or below it. */
  readonly version: bigint;
  /** The version of the last change; from there to `version` upstream only said that nothing happened. */
  readonly lastEntry: bigint;
  /** What the disk says: no version above it was handed out. */
  readonly reserved: bigint;
  /**
   * Versions that a former life may have handed out and the disk does not know of: after a crash the counting goes on
   * above them, and a client that comes with one of them is told that it expired.
   */
  readonly lost: { readonly after: bigint; readonly upTo: bigint } | undefined;
  /** False until the first complete list: what was counted before is promised to nobody. */
  readonly born: boolean;
}

/** A promise covers a million upstream versions ahead, so that bookmarks alone rarely need a write. */
export const reservedAhead = natural(1n << 20n);

/** Nothing known; `highest` is the highest version of a row that is there all the same. */
export const unborn = (highest: bigint): Order => ({
  version: highest,
  lastEntry: highest,
  reserved: highest,
  lost: undefined,
  born: false,
});

/** As it was left. Whoever stopped in peace reserved nothing. */
export function resumed(kept: Pick<Order, 'version' | 'lastEntry' | 'reserved'>): Order {
  const { version, lastEntry, reserved } = kept;
  const lost = reserved > version ? { after: version, upTo: reserved } : undefined;
  return { version, lastEntry, reserved, lost, born: true };
}

/** The last version that anybody may have seen. */
export const tip = ({ version, lost }: Order): bigint =>
  lost !== undefined && version < lost.upTo ? lost.upTo : version;

/** One change, which upstream made at `upstream` (0: a local one). Its version is the new `version`. */
export function changed(order: Order, upstream: bigint): Order {
  const version = allocate(upstream, tip(order));
  return { ...order, version, lastEntry: version };
}

/** Upstream has come to `upstream` and told all changes up to there. */
export function progressed(order: Order, upstream: bigint): Order {
  const wanted = natural(upstream);
  if (wanted <= order.version) return order;
  const least = tip(order);
  if (least === order.version) return { ...order, version: wanted };
  // The lost versions are passed: the next life must not take them for places in its history.
  const version = wanted > least ? wanted : least + 1n;
  return { ...order, version, lastEntry: version };
}

/**
 * Where a list stands that upstream made at `upstream`, if no change is newer: not below the last change, and no further
 * than the list itself knows.
 */
export function placeOf({ version, lastEntry }: Order, upstream: bigint): bigint {
  const last = natural(upstream + 1n) - 1n;
  if (last >= version) return version;
  return last > lastEntry ? last : lastEntry;
}

/**
 * The first complete list. The history begins here, at a place between two upstream versions that nobody guesses, so
 * that the versions of an earlier database answer 410 instead of skipping what changed.
 */
export function born(order: Order, upstream: bigint, offset: bigint): Order {
  const version = allocate(upstream, tip(order)) + offset;
  return { ...order, version, lastEntry: version, born: true };
}

/** Whether a history that goes back to `floor` can tell everything that came after `at`. */
export function reaches(order: Order, floor: bigint, at: bigint): boolean {
  if (!order.born || at < floor || at > order.version) return false;
  return order.lost === undefined || at <= order.lost.after || at > order.lost.upTo;
}
