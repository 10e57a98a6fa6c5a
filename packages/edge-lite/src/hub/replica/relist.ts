import type { KubeObject } from '@selvedge/kube';
import type { ReplicaRow } from '../../store/index.ts';
import type { ChangeSet } from './change-set.ts';
import type { CoverageRecord, Relist } from './types.ts';
import { parseVersion } from './versions.ts';

/** What a relist does to the replica. */
export interface RelistDeps {
  /** The list counts whatever its version is. */
  readonly rewound: boolean;
  /** The coverage as it is now. */
  coverage(): CoverageRecord;
  /** Adds to what the coverage holds, in one transaction; the ids of the rows. */
  put(objects: readonly KubeObject[]): readonly number[];
  /** Coverages among whose rows there may be some that the list should have. */
  readonly holders: readonly number[];
  /** At most `limit` rows that a coverage holds, behind `after`, in the order of their ids. */
  held(holder: number, after: number, limit: number): readonly number[];
  row(id: number): ReplicaRow | undefined;
  /** A row that is in no list of `version`, and not newer than that. */
  absent(set: ChangeSet, row: ReplicaRow, version: bigint): void;
  changeSet(): ChangeSet;
  /** Writes a piece, or the end: then the coverage stands at `coverage`. */
  commit(set: ChangeSet, coverage: CoverageRecord): void;
  /** Ends a change set with the complete list of `upstreamVersion`. */
  complete(set: ChangeSet, upstreamVersion: string): void;
}

/** Rows looked at in one transaction of the end. */
const piece = 200;

/** Characters of JSON of one transaction, and one object more. */
export const maxHeldText = 1024 * 1024;

/** True for what upstream made after the list: it is not in it, and not gone either. */
function isNewer(row: ReplicaRow, list: bigint | undefined): boolean {
  const version = parseVersion(row.upstreamVersion);
  return version !== undefined && list !== undefined && version > list;
}

/** Deals with what the list should have had, a piece at a time. */
function dropRest(deps: RelistDeps, seen: ReadonlySet<number>, upstreamVersion: string): void {
  const list = parseVersion(upstreamVersion);
  const stays = (row: ReplicaRow): boolean => !deps.rewound && isNewer(row, list);
  const write = (set: ChangeSet): void => {
    if (set.real) deps.commit(set, deps.coverage());
  };
  const drop = (ids: readonly number[]): void => {
    let set = deps.changeSet();
    for (const id of ids) {
      const row = seen.has(id) ? undefined : deps.row(id);
      if (row !== undefined && !stays(row)) deps.absent(set, row, list ?? 0n);
      if (set.held < maxHeldText) continue;
      write(set);
      set = deps.changeSet();
    }
    write(set);
  };
  for (const holder of deps.holders) {
    const rest = (after: number): readonly number[] => deps.held(holder, after, piece);
    for (let ids = rest(0); ids.length > 0; ids = rest(ids.at(-1) ?? 0)) drop(ids);
  }
}

/** Of what was added only the numbers of the rows stay in memory: 100,000 objects are a megabyte. */
export function createRelist(deps: RelistDeps): Relist {
  const seen = new Set<number>();
  return {
    add(objects) {
      for (let from = 0; from < objects.length; from += piece)
        for (const id of deps.put(objects.slice(from, from + piece))) seen.add(id);
    },
    commit(upstreamVersion) {
      dropRest(deps, seen, upstreamVersion);
      const set = deps.changeSet();
      deps.complete(set, upstreamVersion);
      const last = deps.coverage();
      const completeSince = last.synced ? last.completeSince : set.order.version.toString();
      deps.commit(set, { ...last, upstreamVersion, synced: true, completeSince });
      seen.clear();
    },
    abandon: () => seen.clear(),
  };
}
