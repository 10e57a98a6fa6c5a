import { labels, unitAppAnnotations } from '@selvedge/api';
import { type JsonObject, type KubeObject, isObject, keyOf, mergePatched } from '@selvedge/kube';
import { type Child, hashOf, withoutUnmanaged } from '../../rendering/index.ts';

type Whole = KubeObject & JsonObject;

/** How an object of a UnitApp shall be. */
export interface Intent {
  readonly resource: Child['resource'];
  /** By `keyOf`. */
  readonly key: string;
  /** As it is made. */
  readonly made: Whole;
  /** As it is kept: without what is left to others. */
  readonly kept: Whole;
  /** JSON pointers to what is left to others once it is made. */
  readonly left: readonly string[];
  /** Of what is kept; an annotation of the object too. */
  readonly hash: string;
}

/** The fields that are left to others. */
export interface Left {
  readonly unmanagedFields?: readonly string[] | undefined;
  readonly isScaledByOthers: boolean;
}

/** The revision whose workload it is. */
export interface OfRevision extends Left {
  readonly revision: number;
}

const asJson = (value: unknown): Whole => JSON.parse(JSON.stringify(value)) as Whole;

const templateOf = ({ spec }: Whole): JsonObject | undefined =>
  isObject(spec) && isObject(spec['template']) ? spec['template'] : undefined;

/** The labels by which the revision, and the pods of its template, are told from others. */
function withRevision(object: Whole, template: JsonObject, revision: number): Whole {
  const own = { [labels.podTemplate]: hashOf(JSON.stringify(template)) };
  return mergePatched(object, {
    metadata: { labels: { ...own, [labels.revision]: String(revision) } },
    spec: { template: { metadata: { labels: own } } },
  }) as Whole;
}

/** What becomes of a rendered object. Pure. */
export function intentOf({ resource, object }: Child, of: OfRevision): Intent {
  const rendered = asJson(object);
  const template = templateOf(rendered);
  const isWorkload = template !== undefined;
  const left = isWorkload
    ? [...(of.unmanagedFields ?? []), ...(of.isScaledByOthers ? ['/spec/replicas'] : [])]
    : [];
  const whole = isWorkload ? withRevision(rendered, template, of.revision) : rendered;
  const hash = hashOf(JSON.stringify(withoutUnmanaged(whole, left)));
  const made = mergePatched(whole, {
    metadata: { annotations: { [unitAppAnnotations.applied]: hash } },
  }) as Whole;
  return { resource, key: keyOf(made), made, kept: withoutUnmanaged(made, left), left, hash };
}

export const isWorkload = ({ made }: Intent): boolean => templateOf(made) !== undefined;
