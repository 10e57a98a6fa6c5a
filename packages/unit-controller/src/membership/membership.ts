import type { LabelSet } from '@selvedge/kube';
import { type EdgeUnitObject, nameOf } from '../objects.ts';
import { type Claim, byAge, claimOf, wants } from './claim.ts';
import { MultiMap } from './multi-map.ts';

/** A node that a unit wants and an older one has. */
export interface Lost {
  readonly node: string;
  readonly unit: string;
}

/**
 * Which node belongs to which unit: at most one, the oldest of those that want it. What it says depends on the units and
 * nodes alone, not on the order in which they became known. A change costs what it touches, not what there is.
 */
export interface Membership {
  unitOf(node: string): string | undefined;
  /** The units that want the node, the one that has it first. */
  claimantsOf(node: string): readonly string[];
  /** Sorted. */
  membersOf(unit: string): readonly string[];
  /** Sorted by node. */
  lostBy(unit: string): readonly Lost[];
  /** Names that the unit wants and that no node has. */
  missingOf(unit: string): readonly string[];
  /** Why the unit's selector selects nothing. */
  problemOf(unit: string): string | undefined;
  /** The nodes of which somebody's claim came, went or changed its place. */
  putUnit(unit: EdgeUnitObject): ReadonlySet<string>;
  dropUnit(unit: string): ReadonlySet<string>;
  /** The units whose members, losses or missing names changed. */
  putNode(node: string, labels: LabelSet): ReadonlySet<string>;
  dropNode(node: string): ReadonlySet<string>;
}

/** By others the API server lets no unit select, since nodes may write them: such a unit asks every node. */
const isIndexed = (key: string): boolean =>
  /(?:^|\.)node-restriction\.kubernetes\.io\/|^node-role\.kubernetes\.io\//.test(key);

const pairsOf = (labels: LabelSet): readonly string[] =>
  Object.entries(labels)
    .filter(([key]) => isIndexed(key))
    .map(([key, value]) => `${key}=${value}`);

/** By which of its words a claim is found; undefined: it has to be asked about each node. */
function wordsOf({ wanted }: Claim): readonly string[] | undefined {
  if (wanted.kind === 'names') return Array.from(wanted.names);
  if (wanted.kind !== 'selected') return [];
  const one = wanted.requirements.find(({ key, operator }) => operator === 'In' && isIndexed(key));
  return one?.values.map((value) => `${one.key}=${value}`);
}

class IndexedMembership implements Membership {
  readonly #claims = new Map<string, Claim>();
  readonly #nodes = new Map<string, LabelSet>();
  /** Units by a node's name or a pair of its labels, and those that are found by none. */
  readonly #unitsByWord = new MultiMap();
  readonly #searching = new Set<string>();
  /** Nodes by a pair of their labels. */
  readonly #nodesByPair = new MultiMap();
  /** Units that want the node, the holder first. */
  readonly #claimants = new Map<string, readonly string[]>();
  /** Nodes that the unit wants. */
  readonly #wanted = new MultiMap();

  unitOf(node: string): string | undefined {
    return this.#claimants.get(node)?.[0];
  }

  claimantsOf(node: string): readonly string[] {
    return this.#claimants.get(node) ?? [];
  }

  membersOf(unit: string): readonly string[] {
    return Array.from(this.#wanted.get(unit))
      .filter((node) => this.unitOf(node) === unit)
      .toSorted();
  }

  lostBy(unit: string): readonly Lost[] {
    const held = Array.from(this.#wanted.get(unit), (node) => ({ node, unit: this.unitOf(node) ?? unit }));
    return held.filter((one) => one.unit !== unit).toSorted((a, b) => (a.node < b.node ? -1 : 1));
  }

  missingOf(unit: string): readonly string[] {
    const wanted = this.#claims.get(unit)?.wanted;
    return wanted?.kind === 'names' ? Array.from(wanted.names).filter((node) => !this.#nodes.has(node)) : [];
  }

  problemOf(unit: string): string | undefined {
    const wanted = this.#claims.get(unit)?.wanted;
    return wanted?.kind === 'invalid' ? wanted.problem : undefined;
  }

  putUnit(unit: EdgeUnitObject): ReadonlySet<string> {
    const claim = claimOf(unit);
    return this.#setClaim(nameOf(unit), claim);
  }

  dropUnit(unit: string): ReadonlySet<string> {
    return this.#setClaim(unit, undefined);
  }

  putNode(node: string, labels: LabelSet): ReadonlySet<string> {
    const isNew = !this.#nodes.has(node);
    this.#unindexNode(node);
    this.#nodes.set(node, labels);
    for (const pair of pairsOf(labels)) this.#nodesByPair.add(pair, node);
    const named = isNew ? this.#unitsByWord.get(node) : [];
    return new Set([...this.#settle(node), ...named]);
  }

  dropNode(node: string): ReadonlySet<string> {
    const before = this.#claimants.get(node) ?? [];
    this.#unindexNode(node);
    this.#nodes.delete(node);
    this.#settle(node);
    return new Set([...before, ...this.#unitsByWord.get(node)]);
  }

  #setClaim(unit: string, claim: Claim | undefined): ReadonlySet<string> {
    const touched = new Set([
      ...this.#wanted.get(unit),
      ...(claim === undefined ? [] : this.#candidates(claim)),
    ]);
    this.#unindexClaim(unit);
    if (claim !== undefined) this.#indexClaim(unit, claim);
    return new Set(Array.from(touched).filter((node) => this.#settle(node).length > 0));
  }

  #indexClaim(unit: string, claim: Claim): void {
    this.#claims.set(unit, claim);
    const words = wordsOf(claim);
    if (words === undefined) this.#searching.add(unit);
    for (const word of words ?? []) this.#unitsByWord.add(word, unit);
  }

  #unindexClaim(unit: string): void {
    const claim = this.#claims.get(unit);
    if (claim === undefined) return;
    for (const word of wordsOf(claim) ?? []) this.#unitsByWord.delete(word, unit);
    this.#searching.delete(unit);
    this.#claims.delete(unit);
  }

  #unindexNode(node: string): void {
    for (const pair of pairsOf(this.#nodes.get(node) ?? {})) this.#nodesByPair.delete(pair, node);
  }

  /** Nodes that may be wanted. */
  #candidates(claim: Claim): Iterable<string> {
    const words = wordsOf(claim);
    if (words === undefined) return this.#nodes.keys();
    if (claim.wanted.kind === 'names') return words;
    return words.flatMap((pair) => Array.from(this.#nodesByPair.get(pair)));
  }

  /** Finds out anew who wants the node; the units for which that changed something. */
  #settle(node: string): readonly string[] {
    const before = this.#claimants.get(node) ?? [];
    const after = this.#claimantsNow(node);
    if (before.length === after.length && before.every((unit, place) => unit === after[place])) return [];
    for (const unit of before) this.#wanted.delete(unit, node);
    for (const unit of after) this.#wanted.add(unit, node);
    if (after.length === 0) this.#claimants.delete(node);
    else this.#claimants.set(node, after);
    return [...before, ...after];
  }

  #claimantsNow(node: string): readonly string[] {
    const labels = this.#nodes.get(node);
    if (labels === undefined) return [];
    const words = [node, ...pairsOf(labels)];
    const found = new Set(words.flatMap((word) => Array.from(this.#unitsByWord.get(word))));
    return Array.from(found.union(this.#searching), (unit) => this.#claims.get(unit))
      .filter((claim) => claim !== undefined)
      .filter((claim) => wants(claim, node, labels))
      .toSorted(byAge)
      .map(({ unit }) => unit);
  }
}

export function createMembership(): Membership {
  return new IndexedMembership();
}
