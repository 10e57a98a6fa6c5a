import { type Autonomy, parseAutonomy } from '@selvedge/api';
import type { Clock } from '@selvedge/kit';
import type { ObjectReader } from '@selvedge/kube';
import type { Lease, Node } from '@selvedge/kube/types';
import type { EdgeUnitObject } from '@selvedge/unit-controller';
import type { EdgeNodeObject } from '../edge-nodes/index.ts';
import { membersOf, unitOf } from './caches.ts';
import { type Facts, type Fate, nextFate, recalledFate } from './fate/index.ts';
import { type Sightings, nodeLeaseNamespace } from './lease/index.ts';
import type { AutonomyOptions, Times } from './options.ts';
import { type Testimonies, peersOf } from './testimony/index.ts';

export interface JudgeDeps {
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  readonly edgeUnits: ObjectReader<EdgeUnitObject>;
  readonly nodes: ObjectReader<Node>;
  readonly leases: ObjectReader<Lease>;
  readonly sightings: Sightings;
  readonly testimonies: Testimonies;
  readonly clock: Clock;
  /** Told of each fate, and of each other reason for the same. `from`: undefined at the first look. */
  readonly onMove: (node: string, from: Fate | undefined, to: Fate) => void;
}

/** A node as it is seen now. */
export interface Look {
  readonly fate: Fate;
  /** What it is from now on, if nothing speaks against it. */
  readonly next: Fate;
  readonly policy: Autonomy;
  /** How long the node's own renewal is ago; Infinity: it was given up. */
  readonly silentMs: number;
  /** A peer says that it is dead, and none that it is alive. */
  readonly isAccused: boolean;
}

const isUnknown = (conditions: readonly { readonly type: string; readonly status: string }[] = []): boolean =>
  conditions.some(({ type, status }) => type === 'Ready' && status === 'Unknown');

/** What an earlier leader wrote of the node, and not of an earlier Node of that name. */
function recalledOf(node: Node | undefined, status: EdgeNodeObject['status']): Fate | undefined {
  const fate = recalledFate(status);
  const madeAt = Date.parse(node?.metadata.creationTimestamp ?? '');
  return fate !== undefined && fate.since < madeAt ? undefined : fate;
}

/** Of a node that nobody has looked at before: one that the stock life cycle has already is not taken out of it. */
const firstFate = (since: number, isGivenUp: boolean): Fate =>
  isGivenUp
    ? { kind: 'Expired', since, reason: 'NeverConnected' }
    : { kind: 'Connected', since, reason: 'LeaseRenewed' };

/** Holds the fates of all edge nodes, which change in `move` alone. */
export class Judge {
  readonly #options: Pick<AutonomyOptions, 'policy' | 'witnessMs'> & Times;
  readonly #deps: JudgeDeps;
  readonly #fates = new Map<string, Fate>();
  /** Since when those are cut that are not Connected, in monotonic milliseconds. */
  readonly #cutSince = new Map<string, number>();

  constructor(options: Pick<AutonomyOptions, 'policy' | 'witnessMs'> & Times, deps: JudgeDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** undefined: it is no edge node, or has never been looked at. */
  fate(node: string): Fate | undefined {
    return this.#fates.get(node);
  }

  fates(): IterableIterator<Fate> {
    return this.#fates.values();
  }

  unit(node: string): EdgeUnitObject | undefined {
    return unitOf(this.#deps.edgeUnits, node);
  }

  policy(node: string): Autonomy {
    const own = this.#deps.edgeNodes.get(node)?.spec?.autonomy;
    const text = own ?? this.unit(node)?.spec?.autonomy;
    return (text === undefined ? undefined : parseAutonomy(text)) ?? this.#options.policy;
  }

  /** Whether it renewed its Lease so lately that nothing is to be done on its behalf. */
  isConnected(node: string): boolean {
    const { sightings } = this.#deps;
    return this.#known(node)?.kind === 'Connected' && sightings.silentMs(node) < this.#options.lateMs;
  }

  /** undefined: not an edge node, or one that never renewed a Lease. */
  look(node: string): Look | undefined {
    const { sightings } = this.#deps;
    const fate = this.#known(node);
    if (fate === undefined) return undefined;
    const facts = this.#facts(node);
    const { peers, policy } = facts;
    return {
      fate,
      next: nextFate(fate, facts, { silenceMs: this.#options.witnessMs }),
      policy,
      silentMs: sightings.silentMs(node),
      isAccused: peers.kind === 'connected' && peers.alive.length === 0 && peers.dead.length > 0,
    };
  }

  move(node: string, next: Fate): void {
    const from = this.#fates.get(node);
    this.#fates.set(node, next);
    if (next.kind === 'Connected') this.#cutSince.delete(node);
    else if (!this.#cutSince.has(node)) this.#giveUp(node);
    if (from?.kind !== next.kind || from.reason !== next.reason) this.#deps.onMove(node, from, next);
  }

  #giveUp(node: string): void {
    this.#cutSince.set(node, this.#deps.clock.monotonicMs());
    this.#deps.sightings.giveUp(node);
  }

  /** Its fate, if it is an edge node that ever renewed a Lease. */
  #known(node: string): Fate | undefined {
    const { edgeNodes, nodes, leases } = this.#deps;
    const edgeNode = edgeNodes.get(node);
    const lease = leases.get(`${nodeLeaseNamespace}/${node}`);
    if (edgeNode !== undefined && lease !== undefined && nodes.get(node) !== undefined) {
      return this.#fates.get(node) ?? this.#first(node, edgeNode);
    }
    this.#fates.delete(node);
    this.#cutSince.delete(node);
    return undefined;
  }

  #first(node: string, { status }: EdgeNodeObject): Fate {
    const { sightings, nodes, clock } = this.#deps;
    const isGivenUp = isUnknown(nodes.get(node)?.status?.conditions);
    const fate = recalledOf(nodes.get(node), status) ?? firstFate(clock.now(), isGivenUp);
    this.#fates.set(node, fate);
    // Who was connected when somebody last looked has a grace period to show that it is, unless it is too late already.
    if (fate.kind !== 'Connected') this.#giveUp(node);
    else if (!isGivenUp && !Number.isFinite(sightings.silentMs(node))) sightings.assume(node);
    if (fate.kind === 'Vouched') this.#recallWitnesses(node, fate.by);
    this.#deps.onMove(node, undefined, fate);
    return fate;
  }

  /** What the leader before heard counts as if it was heard now: who said it had no occasion yet to say it again. */
  #recallWitnesses(subject: string, by: readonly string[]): void {
    for (const witness of by) this.#deps.testimonies.add({ subject, witness, alive: true, ageMs: 0 });
  }

  #facts(node: string): Facts {
    const { sightings, testimonies, clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    const question = {
      node,
      members: membersOf(this.unit(node)),
      isConnected: (member: string) => this.isConnected(member),
      cutSinceMs: this.#cutSince.get(node) ?? nowMs,
      nowMs,
    };
    return {
      now: clock.now(),
      isCut: sightings.silentMs(node) >= this.#options.cutMs,
      policy: this.policy(node),
      peers: peersOf(question, testimonies),
    };
  }
}
