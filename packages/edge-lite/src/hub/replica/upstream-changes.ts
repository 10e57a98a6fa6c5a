import { type Random, SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import type { ReplicaStore } from '../../store/index.ts';
import { type ChangeSet, baseOf } from './change-set.ts';
import { metadataOf, nameOf, normalized, parsed, reduced } from './content.ts';
import type { Core } from './core.ts';
import { isFixed } from './fixed-selection.ts';
import { createRelist, maxHeldText } from './relist.ts';
import type { CoverageChange, CoverageRecord, CoverageSpec, HeldResource, Relist, Replica } from './types.ts';
import { localSteps, parseVersion } from './versions.ts';

/** Whether a selection takes an object; undefined when it asks for a field that is not known here. */
export type MatchesSelection = (
  resource: HeldResource,
  selection: Pick<CoverageSpec, 'namespace' | 'labelSelector' | 'fieldSelector'>,
  object: KubeObject,
) => boolean | undefined;

export interface UpstreamChangesOptions {
  readonly maxCoverages: number;
  readonly maxStoreBytes: number;
}

export interface UpstreamChangesDeps {
  readonly store: Pick<ReplicaStore, 'sizeBytes'>;
  readonly matchesSelection: MatchesSelection;
  readonly random: Random;
}

type Upstream = Pick<
  Replica,
  'coverages' | 'addCoverage' | 'dropCoverage' | 'apply' | 'relist' | 'learn' | 'resources'
>;

/** Rows looked at in one transaction. */
const piece = 200;

const versionOf = (object: KubeObject): bigint => parseVersion(object.metadata.resourceVersion) ?? 0n;

/** Takes over a state that is not older than what is known, or `rewound`. False: it is older. */
function take(set: ChangeSet, object: KubeObject, rewound = false): boolean {
  const at = nameOf(object);
  const row = set.row(at);
  const version = versionOf(object);
  const known = rewound ? undefined : parseVersion(row?.upstreamVersion);
  if (known !== undefined && version < known) return false;
  if (version !== known) set.place(at, normalized(object), version);
  return true;
}

/** The changes that come from the cloud. */
export class UpstreamChanges implements Upstream {
  readonly #options: UpstreamChangesOptions;
  readonly #core: Core;
  readonly #deps: UpstreamChangesDeps;
  /** Coverages that have not listed yet since the cluster went back in time: where they stand means nothing now. */
  readonly #formerLife = new Set<number>();

  constructor(options: UpstreamChangesOptions, core: Core, deps: UpstreamChangesDeps) {
    this.#options = options;
    this.#core = core;
    this.#deps = deps;
  }

  coverages(): readonly CoverageRecord[] {
    return [...this.#core.ledger.coverages.values()];
  }

  resources(): readonly HeldResource[] {
    return [...new Set(this.coverages().map(({ resource }) => resource))];
  }

  addCoverage({ resource, namespace, labelSelector, fieldSelector }: CoverageSpec): CoverageRecord {
    const known = this.#core
      .coveragesOf(resource)
      .find(
        (one) =>
          one.namespace === namespace &&
          one.labelSelector === labelSelector &&
          one.fieldSelector === fieldSelector,
      );
    if (known !== undefined) return known;
    this.#checkRoom();
    const { coverages } = this.#core.ledger;
    if (coverages.size >= this.#options.maxCoverages) {
      const message = `the replica has ${coverages.size} coverages already`;
      throw new SelvedgeError(message, { code: 'ResourceExhausted' });
    }
    const id = Math.max(0, ...coverages.keys()) + 1;
    const spec = { resource, namespace, labelSelector, fieldSelector };
    const record = { id, ...spec, upstreamVersion: '', synced: false };
    this.#core.ledger.addCoverage(record);
    return record;
  }

  dropCoverage(id: number): void {
    const { ledger } = this.#core;
    if (!ledger.coverages.has(id)) return;
    const coverage = this.#core.coverage(id);
    const bank = ledger.bank(coverage.resource);
    const rest = (after: number): readonly number[] => bank.tables.members.rowsOf(id, after, piece);
    for (let ids = rest(0); ids.length > 0; ids = rest(ids.at(-1) ?? 0)) {
      let set = this.#core.changeSet(coverage.resource);
      for (const rowId of ids) {
        const row = bank.rowById(rowId);
        if (row !== undefined) set.release(row, id, 0n);
        if (set.held < maxHeldText) continue;
        ledger.commit({ sets: [set] });
        set = this.#core.changeSet(coverage.resource);
      }
      ledger.commit({ sets: [set] });
    }
    ledger.dropCoverage(id);
  }

  apply(id: number, changes: readonly CoverageChange[], upstreamVersion: string): void {
    const coverage = this.#core.coverage(id);
    const set = this.#core.changeSet(coverage.resource);
    for (const { type, object } of changes)
      if (type === 'delete') this.#left(set, coverage, object);
      else if (!this.#isGone(set, object, id)) {
        take(set, object);
        set.hold(nameOf(object), id);
      }
    this.#progress(set, upstreamVersion);
    this.#core.ledger.commit({ sets: [set], coverage: { ...coverage, upstreamVersion } });
  }

  relist(id: number, { rewound } = { rewound: false }): Relist {
    const core = this.#core;
    const { ledger } = core;
    const spec = core.coverage(id);
    const { resource } = spec;
    const bank = ledger.bank(resource);
    if (rewound) for (const other of ledger.coverages.keys()) this.#formerLife.add(other);
    return createRelist({
      rewound,
      get holders() {
        const others = core.coveragesOf(resource).map((one) => one.id);
        return isFixed(spec) ? [id, ...others.filter((one) => one !== id)] : [id];
      },
      coverage: () => core.coverage(id),
      put: (objects) => this.#add(core.coverage(id), objects, rewound),
      held: (holder, after, limit) => bank.tables.members.rowsOf(holder, after, limit),
      row: (rowId) => bank.rowById(rowId),
      absent: (set, row, version) => {
        if (!isFixed(spec)) set.release(row, id, version);
        else if (this.#takes(spec, baseOf(row))) set.remove(row, version);
      },
      changeSet: () => core.changeSet(resource),
      commit: (set, coverage) => ledger.commit({ sets: [set], coverage }),
      complete: (set, upstreamVersion) => {
        this.#progress(set, upstreamVersion);
        this.#formerLife.delete(id);
      },
    });
  }

  learn(resource: HeldResource, object: KubeObject): KubeObject | undefined {
    if (parseVersion(object.metadata.resourceVersion) === undefined) return undefined;
    const metadata = metadataOf(resource);
    const sets = [this.#learned(resource, normalized(object))];
    if (metadata !== undefined) sets.push(this.#learned(metadata, reduced(object)));
    this.#core.ledger.commit({ sets: sets.filter((set) => set !== undefined) });
    const { namespace, name } = nameOf(object);
    const row = this.#core.ledger.bank(resource).row({ resource, namespace, name });
    return row === undefined ? undefined : parsed(row.shown ?? row.body);
  }

  #learned(resource: HeldResource, object: KubeObject): ChangeSet | undefined {
    const coverages = this.#core.coveragesOf(resource);
    if (coverages.length === 0) return undefined;
    const at = nameOf(object);
    const version = versionOf(object);
    const matching = coverages.map(
      (coverage) => [coverage, this.#deps.matchesSelection(resource, coverage, object)] as const,
    );
    const takers = matching.filter(
      ([coverage, matches]) => matches === true && !this.#isPast(coverage, version),
    );
    const set = this.#core.changeSet(resource);
    if (this.#isGone(set, object)) return undefined;
    if (set.row(at) === undefined && takers.length === 0) return undefined;
    if (!take(set, object)) return undefined;
    for (const [{ id }] of takers) set.hold(at, id);
    for (const [{ id }, matches] of matching) if (matches === false) set.release(at, id, version);
    return set;
  }

  #takes(coverage: CoverageRecord, object: KubeObject): boolean {
    return this.#deps.matchesSelection(coverage.resource, coverage, object) === true;
  }

  /** A coverage that has come so far has the object, or has seen it go. */
  #isPast({ id, synced, upstreamVersion }: CoverageRecord, version: bigint): boolean {
    return synced && !this.#formerLife.has(id) && (parseVersion(upstreamVersion) ?? 0n) >= version;
  }

  /** Whoever brings it (`by`) is behind: another coverage, which would have it, has seen it go. */
  #isGone(set: ChangeSet, object: KubeObject, by?: number): boolean {
    const version = versionOf(object);
    if (version === 0n || set.row(nameOf(object)) !== undefined) return false;
    return this.#core
      .coveragesOf(set.resource)
      .filter((one) => one.id !== by && this.#isPast(one, version))
      .some((one) => isFixed(one) && this.#takes(one, object));
  }

  /** A coverage says that an object is no longer there, or no longer among its own. */
  #left(set: ChangeSet, coverage: CoverageRecord, object: KubeObject): void {
    const at = nameOf(object);
    const version = versionOf(object);
    const row = set.row(at);
    // Of an earlier state, or of an earlier object of the name: the coverage is behind.
    const late = row !== undefined && (parseVersion(row.upstreamVersion) ?? 0n) > version;
    if (!late && isFixed(coverage)) set.remove(at, version);
    else if (!late || !this.#takes(coverage, baseOf(row))) set.release(at, coverage.id, version);
  }

  #add(coverage: CoverageRecord, objects: readonly KubeObject[], rewound: boolean): readonly number[] {
    if (!coverage.synced) this.#checkRoom();
    const set = this.#core.changeSet(coverage.resource);
    const there = rewound ? objects : objects.filter((object) => !this.#isGone(set, object, coverage.id));
    const ids = there.map((object) => {
      const at = nameOf(object);
      take(set, object, rewound);
      set.hold(at, coverage.id);
      return set.rowId(at);
    });
    this.#core.ledger.commit({ sets: [set] });
    return ids;
  }

  #progress(set: ChangeSet, upstreamVersion: string): void {
    const version = parseVersion(upstreamVersion);
    if (version === undefined && set.order.born) return;
    if (set.order.born) set.progress(version ?? 0n);
    else {
      const half = Number(localSteps / 2n);
      set.begin(version ?? 0n, BigInt(half + Math.floor(this.#deps.random() * half)));
    }
  }

  #checkRoom(): void {
    const { maxStoreBytes } = this.#options;
    if (this.#deps.store.sizeBytes() < maxStoreBytes) return;
    throw new SelvedgeError(`the store holds ${maxStoreBytes} bytes already`, {
      code: 'ResourceExhausted',
      hint: 'fewer or narrower watches, or a larger cap',
    });
  }
}
