import { type Newest, type ObjectReader, createNewest } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import { type Membership, createMembership } from '../membership/index.ts';
import { type Given, type NodeFacts, givenBy } from '../nodes/index.ts';
import { type EdgeNodeObject, type EdgeUnitObject, nameOf, pushedUnitIndex } from '../objects.ts';

/** What the controller reads; kept up to date by whoever hosts it. */
export interface ClusterReaders {
  readonly units: ObjectReader<EdgeUnitObject>;
  /** Names, uids, versions, labels, annotations, taints, `unschedulable` and addresses at least. */
  readonly nodes: ObjectReader<Node>;
  /** With `unitIndexers`. */
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
}

/** Objects that were written and may not be seen as written yet, of each kind. */
const maxWritten = 10_000;

/** Units, nodes and who belongs to whom, as this process knows them. */
export class ClusterView {
  readonly #readers: ClusterReaders;
  readonly membership: Membership = createMembership();
  readonly nodes: Newest<Node>;
  readonly edgeNodes: Newest<EdgeNodeObject>;

  constructor(readers: ClusterReaders) {
    this.#readers = readers;
    this.nodes = createNewest({ capacity: maxWritten }, readers.nodes);
    this.edgeNodes = createNewest({ capacity: maxWritten }, readers.edgeNodes);
  }

  /** The unit that the node is to be in, and whether it may be given anything yet. */
  unitOf(node: string): EdgeUnitObject | undefined {
    const unit = this.membership.unitOf(node);
    return unit === undefined ? undefined : this.#readers.units.get(unit);
  }

  uidOf(unit: string): string | undefined {
    return this.#readers.units.get(unit)?.metadata.uid;
  }

  factsOf(name: string): NodeFacts {
    const unit = this.unitOf(name);
    const edgeNode = this.edgeNodes.get(name);
    const given: Given | undefined = unit === undefined ? undefined : givenBy(unit);
    return {
      node: this.nodes.get(name) ?? { metadata: { name } },
      given,
      hasEdgeNode: edgeNode !== undefined,
      pushed: edgeNode?.status?.unit,
    };
  }

  /** Nodes that have something of the unit, whether or not they belong to it. */
  holdersOf(unit: string): readonly string[] {
    return this.#readers.edgeNodes.byIndex(pushedUnitIndex, unit).map(nameOf);
  }
}
