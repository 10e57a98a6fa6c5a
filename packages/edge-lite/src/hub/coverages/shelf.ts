import type { CoverageSpec, HeldResource } from '../replica/types.ts';
import { resourceParts } from '../request-info/index.ts';
import type { Hold } from './hold.ts';
import type { Idleness } from './expiry.ts';
import type { ListWatchCoverage } from './list-watch.ts';
import { specKey } from './spec.ts';
import { isSameSponsor, nodeSponsor } from './sponsors.ts';
import type { Sponsor } from './types.ts';

/** Whether what `wide` holds answers everything that `narrow` asks for. */
export type Covers = (wide: CoverageSpec, narrow: CoverageSpec) => boolean;

/** What decides who may rely on a coverage. */
export interface Shelved {
  readonly coverage: Pick<ListWatchCoverage, 'record' | 'running' | 'state'>;
  readonly holds: { readonly size: number };
  readonly idleness: Pick<Idleness, 'unusedMs' | 'followed'>;
}

/** A coverage with those who read it. */
export interface Kept extends Shelved {
  readonly coverage: ListWatchCoverage;
  readonly holds: Set<Hold>;
  readonly idleness: Idleness;
  /** The user who opened it, if he has a cap of his own. */
  readonly openedBy: string | undefined;
}

/** Held whole or as metadata, it is the same collection. */
const collectionOf = (resource: HeldResource): string => {
  const { group, version, resource: plural } = resourceParts(resource);
  return `${group}/${version}/${plural}`;
};

const ranks = { live: 0, stale: 1, filling: 2, suspended: 3 };

/**
 * Whether a reader of less may rely on it: it is run, and by somebody who does not go away before the reader does.
 * Nobody's watch shall stand still because the pod of another one ended.
 */
function isReliable({ coverage }: Shelved, own: Sponsor | undefined): boolean {
  const { running, state } = coverage;
  if (state.kind === 'suspended') return false;
  return isSameSponsor(running, nodeSponsor) || isSameSponsor(running, own);
}

/** All coverages, found by what they answer. */
export class CoverageShelf<K extends Shelved> {
  readonly #covers: Covers;
  readonly #byKey = new Map<string, K>();
  readonly #byCollection = new Map<string, Set<K>>();

  constructor(covers: Covers) {
    this.#covers = covers;
  }

  get size(): number {
    return this.#byKey.size;
  }

  values(): IterableIterator<K> {
    return this.#byKey.values();
  }

  add(kept: K): void {
    const { record } = kept.coverage;
    const collection = collectionOf(record.resource);
    const others = this.#byCollection.get(collection) ?? new Set();
    this.#byKey.set(specKey(record), kept);
    this.#byCollection.set(collection, others.add(kept));
  }

  delete(kept: K): void {
    const { record } = kept.coverage;
    const collection = collectionOf(record.resource);
    const others = this.#byCollection.get(collection);
    this.#byKey.delete(specKey(record));
    others?.delete(kept);
    if (others?.size === 0) this.#byCollection.delete(collection);
  }

  has(kept: K): boolean {
    return this.#byKey.get(specKey(kept.coverage.record)) === kept;
  }

  /**
   * The one for exactly this question, else the best of the wider ones: while offline any that was complete once, else one
   * that the reader can rely on.
   */
  find(
    spec: CoverageSpec,
    reader: { readonly own: Sponsor | undefined; readonly offline: boolean },
  ): K | undefined {
    const exact = this.#byKey.get(specKey(spec));
    const usable = (kept: K): boolean =>
      reader.offline ? kept.coverage.record.synced : isReliable(kept, reader.own);
    if (exact !== undefined && (!reader.offline || exact.coverage.record.synced)) return exact;
    return this.#best(this.#answering(spec).filter(usable)) ?? exact;
  }

  /** One that was complete once and answers this. */
  covering(spec: CoverageSpec): K | undefined {
    const exact = this.#byKey.get(specKey(spec));
    if (exact?.coverage.record.synced === true) return exact;
    return this.#best(this.#answering(spec).filter(({ coverage }) => coverage.record.synced));
  }

  /** Of some, the one that nobody has held for longest; first those that were never followed. */
  idlest(among: (kept: K) => boolean = () => true): K | undefined {
    const unheld = [...this.values()].filter((kept) => kept.holds.size === 0 && among(kept));
    const rank = ({ idleness }: K): number => Number(idleness.followed);
    const byRank = (a: K, b: K): number => rank(a) - rank(b);
    return unheld.toSorted((a, b) => byRank(a, b) || b.idleness.unusedMs - a.idleness.unusedMs)[0];
  }

  #answering(spec: CoverageSpec): readonly K[] {
    const same = this.#byCollection.get(collectionOf(spec.resource)) ?? [];
    return [...same].filter(({ coverage: { record } }) => {
      if (record.namespace !== '' && record.namespace !== spec.namespace) return false;
      return specKey(record) === specKey(spec) || this.#covers(record, spec);
    });
  }

  #best(all: readonly K[]): K | undefined {
    const rank = ({ coverage }: K): number => ranks[coverage.state.kind];
    return all.toSorted((a, b) => rank(a) - rank(b))[0];
  }
}
