import { isDeepStrictEqual } from 'node:util';
import type { PushedToNode } from '@selvedge/api';
import type { Node } from '@selvedge/kube/types';
import type { NodeChange } from './change.ts';
import { type Given, type NodeFields, fieldsOf, unitField, zoneField } from './fields.ts';

/** What is known of one node. */
export interface NodeFacts {
  readonly node: Node;
  /** By its unit; absent: it has none. */
  readonly given: Given | undefined;
  readonly hasEdgeNode: boolean;
  /** `EdgeNode.status.unit`. */
  readonly pushed: PushedToNode | undefined;
}

/** In their order; each may be repeated. */
export type NodeStep =
  | { readonly kind: 'create' }
  /** Before anything is set it is recorded as ours; what is gone is struck from the record afterwards. */
  | { readonly kind: 'record'; readonly pushed: PushedToNode | undefined }
  | { readonly kind: 'change'; readonly change: NodeChange };

export interface NodePlan {
  /** None: the node has all that its unit gives, and nothing of another. */
  readonly steps: readonly NodeStep[];
  /** Fields that somebody else has given another value; they stay as they are. */
  readonly conflicts: readonly string[];
}

const nothing: NodeFields = new Map();
const overwritten: ReadonlySet<string> = new Set([unitField, zoneField]);

const recordOf = (name: string, { metadata }: Node, fields: Iterable<string>): PushedToNode => ({
  name,
  ...(metadata.uid === undefined ? {} : { nodeUid: metadata.uid }),
  fields: Array.from(new Set(fields)).toSorted(),
});

interface Difference {
  readonly change: NodeChange;
  /** Fields that are ours once the change is made. */
  readonly ours: readonly string[];
  readonly conflicts: readonly string[];
}

/** What is to be done so that the node has what is wanted, where nobody else was first. */
function differenceOf(wanted: NodeFields, has: NodeFields, pushed: ReadonlySet<string>): Difference {
  const isOurs = (field: string): boolean => pushed.has(field) || overwritten.has(field);
  const fields = Array.from(wanted);
  const differing = fields.filter(([field, value]) => has.get(field) !== value);
  const set = differing.filter(([field]) => !has.has(field) || isOurs(field));
  const dropped = Array.from(pushed.union(new Set([unitField])));
  return {
    change: {
      set: new Map(set),
      drop: new Set(dropped.filter((field) => has.has(field) && !wanted.has(field))),
    },
    ours: fields.map(([field]) => field).filter((field) => isOurs(field) || !has.has(field)),
    conflicts: differing.map(([field]) => field).filter((field) => has.has(field) && !isOurs(field)),
  };
}

const recording = (before: PushedToNode | undefined, after: PushedToNode | undefined): readonly NodeStep[] =>
  isDeepStrictEqual(before, after) ? [] : [{ kind: 'record', pushed: after }];

const changing = (change: NodeChange): readonly NodeStep[] =>
  change.set.size + change.drop.size === 0 ? [] : [{ kind: 'change', change }];

/** Fields that were set on this very Node. */
const fieldsOn = ({ metadata }: Node, pushed: PushedToNode | undefined): ReadonlySet<string> =>
  new Set(pushed?.nodeUid === metadata.uid ? pushed?.fields : []);

function joining({ node, hasEdgeNode, pushed }: NodeFacts, { unit, fields }: Given): NodePlan {
  const before = fieldsOn(node, pushed);
  const { change, ours, conflicts } = differenceOf(fields, fieldsOf(node), before);
  const [during, target] = [[...before, ...ours], ours].map((set) => recordOf(unit, node, set));
  const creating: readonly NodeStep[] = hasEdgeNode ? [] : [{ kind: 'create' }];
  const recorded = [...recording(pushed, during), ...changing(change), ...recording(during, target)];
  return { steps: [...creating, ...recorded], conflicts: conflicts.toSorted() };
}

function leaving({ node, pushed }: NodeFacts): NodePlan {
  const { change } = differenceOf(nothing, fieldsOf(node), fieldsOn(node, pushed));
  return { steps: [...changing(change), ...recording(pushed, undefined)], conflicts: [] };
}

/**
 * What is to be done about a node: leave the unit whose fields it has, then join its own. Only fields that this program
 * set are changed or taken away, the label of the unit and the zone aside. Pure.
 */
export function planNode(facts: NodeFacts): NodePlan {
  const { given, pushed } = facts;
  const stays = given !== undefined && (pushed === undefined || pushed.name === given.unit);
  return stays ? joining(facts, given) : leaving(facts);
}
