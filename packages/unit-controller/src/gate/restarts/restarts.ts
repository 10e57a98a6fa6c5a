import { labels } from '@selvedge/api';
import type { Indexer, ObjectReader } from '@selvedge/kube';
import type { ClonePod } from './clone-pod.ts';

/** Pods of a clone that have one template. */
export interface ClonePods {
  readonly namespace: string;
  /** The UnitApp's name. */
  readonly app: string;
  readonly unit: string;
  /** The clone's label `selvedge.io/pod-template`. */
  readonly template: string;
  /** When the revision came to be, in milliseconds since the Unix epoch. */
  readonly sinceMs: number;
}

const index = 'clone and template';

const keyOf = (...parts: readonly string[]): string => parts.join('/');

/** What the store of clones' pods must be indexed by. */
export const clonePodIndexers: Readonly<Record<string, Indexer<ClonePod>>> = {
  [index]: ({ metadata: { namespace = '', labels: own = {} } }) => {
    const { [labels.unitApp]: app = '', [labels.unit]: unit = '', [labels.podTemplate]: template = '' } = own;
    return [keyOf(namespace, app, unit, template)];
  },
};

const isOlder = ({ metadata }: ClonePod, ms: number): boolean =>
  Date.parse(metadata.creationTimestamp ?? '') < ms;

/**
 * How often containers restarted in the pods that there are. Those of an older template do not count, nor those that are
 * older than the revision: one that changes only a Service keeps the pods, and what happened to them before.
 */
export function restartsOf(
  pods: Pick<ObjectReader<ClonePod>, 'byIndex'>,
  { namespace, app, unit, template, sinceMs }: ClonePods,
): number {
  return pods
    .byIndex(index, keyOf(namespace, app, unit, template))
    .filter((pod) => !isOlder(pod, sinceMs))
    .reduce((total, { restarts = 0 }) => total + restarts, 0);
}
