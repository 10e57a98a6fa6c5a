import type { Node, Taint } from '@selvedge/kube/types';
import type { NodeFields } from './fields.ts';

/** What is to become of single fields of a Node. */
export interface NodeChange {
  readonly set: NodeFields;
  readonly drop: ReadonlySet<string>;
}

/** Keys of the fields of one part, each with its value or, to be dropped, null. */
function partOf({ set, drop }: NodeChange, part: string): ReadonlyMap<string, string | null> {
  const all = new Map<string, string | null>([
    ...Array.from(drop, (field) => [field, null] as const),
    ...set,
  ]);
  const of = Array.from(all).filter(([field]) => field.startsWith(`${part}[`));
  return new Map(of.map(([field, value]) => [field.slice(part.length + 1, -1), value]));
}

/** The whole list, for the API has no finer way: those of others stay as they are and where they are. */
function taintsAfter(node: Node, change: ReadonlyMap<string, string | null>): readonly Taint[] {
  const kept = (node.spec?.taints ?? []).filter(({ key, effect }) => !change.has(`${key}:${effect}`));
  const made = Array.from(change).flatMap(([id, value]) => {
    const [key = '', effect = ''] = id.split(':');
    return value === null ? [] : [{ key, effect, ...(value === '' ? {} : { value }) }];
  });
  return [...kept, ...made];
}

/** A merge patch that holds only on the Node as it was seen: what came in between is looked at first. Pure. */
export function patchOfNode(node: Node, change: NodeChange): object {
  const [labels, annotations, taints, whole] = ['labels', 'annotations', 'taints', 'unschedulable'].map(
    (part) => partOf(change, part),
  );
  const { uid, resourceVersion } = node.metadata;
  const cordoned = change.set.has('unschedulable')
    ? true
    : change.drop.has('unschedulable')
      ? null
      : undefined;
  const object = (part: typeof whole): object | undefined =>
    part === undefined || part.size === 0 ? undefined : Object.fromEntries(part);
  return {
    metadata: { uid, resourceVersion, labels: object(labels), annotations: object(annotations) },
    spec: {
      taints: taints === undefined || taints.size === 0 ? undefined : taintsAfter(node, taints),
      unschedulable: cordoned,
    },
  };
}
