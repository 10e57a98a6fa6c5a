import type { KubeObject } from '@selvedge/kube';
import { type Thing, matchesLabel } from './testing.ts';
import type { CoverageChange, ObjectName } from './types.ts';

export const keyOf = ({ namespace, name }: ObjectName): string => `${namespace}/${name}`;
export const selectors = ['', 'x'] as const;
export type Selector = (typeof selectors)[number];

export const matches = (selector: Selector, object: KubeObject | undefined): boolean =>
  object !== undefined &&
  matchesLabel('', { namespace: '', labelSelector: selector, fieldSelector: '' }, object) === true;

export interface CloudEvent {
  readonly revision: number;
  readonly before: Thing | undefined;
  readonly after: Thing | undefined;
}

/** An API server with one collection. */
export class Cloud {
  revision = 40;
  readonly log: CloudEvent[] = [];
  readonly objects = new Map<string, Thing>();

  change(at: ObjectName, edit: (old: Thing | undefined, revision: number) => Thing | undefined): void {
    const before = this.objects.get(keyOf(at));
    const after = edit(before, this.revision + 1);
    if (before === undefined && after === undefined) return;
    this.revision += 1;
    this.log.push({ revision: this.revision, before, after });
    if (after === undefined) this.objects.delete(keyOf(at));
    else this.objects.set(keyOf(at), after);
  }

  list(selector: Selector): readonly Thing[] {
    return [...this.objects.values()].filter((object) => matches(selector, object));
  }

  /** What a watch of `selector` would send of one event. */
  static seen(selector: Selector, { before, after, revision }: CloudEvent): CoverageChange | undefined {
    if (after !== undefined && matches(selector, after)) return { type: 'put', object: after };
    if (before === undefined || !matches(selector, before)) return undefined;
    const metadata = { ...before.metadata, resourceVersion: String(revision) };
    return { type: 'delete', object: { ...before, metadata } };
  }
}

export const revised = (object: Thing, revision: number, change: Partial<Thing>): Thing => ({
  ...object,
  ...change,
  metadata: { ...(change.metadata ?? object.metadata), resourceVersion: String(revision) },
});

export const made = ({ namespace, name }: ObjectName, revision: number, labelled: boolean): Thing => ({
  kind: 'Node',
  apiVersion: 'v1',
  metadata: {
    namespace,
    name,
    uid: `uid-${revision}`,
    resourceVersion: String(revision),
    ...(labelled ? { labels: { x: '1' } } : {}),
  },
  spec: revision,
  status: { phase: 'new', conditions: [{ type: 'Ready', lastHeartbeatTime: `t${revision}` }] },
});
