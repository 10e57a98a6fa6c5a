import { type Random, SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import type { ReplicaStore } from '../../store/index.ts';
import type { ChangeSet } from './change-set.ts';
import { metadataOf, nameOf, normalized, parsed, reduced } from './content.ts';
import type { Core } from './core.ts';
import { createRelist } from './relist.ts';
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

/** A coverage that has come so far has the object, or has seen it go. */
const isPast = ({ synced, upstreamVersion }: CoverageRecord, version: bigint): boolean =>
  synced && (parseVersion(upstreamVersion) ?? 0n) >= version;

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
      const set = this.#core.changeSet(coverage.resource);
      for (const rowId of ids) {
        const row = bank.rowById(rowId);
        if (row !== undefined) set.release(row, id, 0n);
      }
      ledger.commit({ sets: [set] });
    }
    ledger.dropCoverage(id);
  }

  apply(id: number, changes: readonly CoverageChange[], upstreamVersion: string): void {
    const coverage = this.#core.coverage(id);
    const set = this.#core.changeSet(coverage.resource);
    for (const { type, object } of changes) {
      const at = nameOf(object);
      if (type === 'delete') set.release(at, id, versionOf(object));
      else {
        take(set, object);
        set.hold(at, id);
      }
    }
    this.#progress(set, upstreamVersion);
    this.#core.ledger.commit({ sets: [set], coverage: { ...coverage, upstreamVersion } });
  }

  relist(id: number, { rewound } = { rewound: false }): Relist {
    const core = this.#core;
    const { ledger } = core;
    const { resource } = core.coverage(id);
    const bank = ledger.bank(resource);
    return createRelist({
      rewound,
      coverage: () => core.coverage(id),
      put: (objects) => this.#add(core.coverage(id), objects, rewound),
      held: (after, limit) => bank.tables.members.rowsOf(id, after, limit),
      row: (rowId) => bank.rowById(rowId),
      changeSet: () => core.changeSet(resource),
      commit: (set, coverage) => ledger.commit({ sets: [set], coverage }),
      complete: (set, upstreamVersion) => this.#progress(set, upstreamVersion),
    });
  }

  learn(resource: HeldResource, object: KubeObject): KubeObject {
    if (parseVersion(object.metadata.resourceVersion) === undefined) return object;
    const metadata = metadataOf(resource);
    const sets = [this.#learned(resource, normalized(object))];
    if (metadata !== undefined) sets.push(this.#learned(metadata, reduced(object)));
    this.#core.ledger.commit({ sets: sets.filter((set) => set !== undefined) });
    const { namespace, name } = nameOf(object);
    const row = this.#core.ledger.bank(resource).row({ resource, namespace, name });
    return row === undefined
      ? this.#core.passing(resource, normalized(object))
      : parsed(row.shown ?? row.body);
  }

  #learned(resource: HeldResource, object: KubeObject): ChangeSet | undefined {
    const coverages = this.#core.coveragesOf(resource);
    if (coverages.length === 0) return undefined;
    const at = nameOf(object);
    const version = versionOf(object);
    const matching = coverages.map(
      (coverage) => [coverage, this.#deps.matchesSelection(resource, coverage, object)] as const,
    );
    const takers = matching.filter(([coverage, matches]) => matches === true && !isPast(coverage, version));
    const set = this.#core.changeSet(resource);
    if (set.row(at) === undefined && takers.length === 0) return undefined;
    if (!take(set, object)) return undefined;
    for (const [{ id }] of takers) set.hold(at, id);
    for (const [{ id }, matches] of matching) if (matches === false) set.release(at, id, version);
    return set;
  }

  #add(coverage: CoverageRecord, objects: readonly KubeObject[], rewound: boolean): readonly number[] {
    if (!coverage.synced) this.#checkRoom();
    const set = this.#core.changeSet(coverage.resource);
    const ids = objects.map((object) => {
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
