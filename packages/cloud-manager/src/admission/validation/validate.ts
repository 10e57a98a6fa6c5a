import { type Clock, SelvedgeError } from '@selvedge/kit';
import type { KubeObject, ObjectReader } from '@selvedge/kube';
import type { EdgeUnitObject, UnitAppObject } from '@selvedge/unit-controller';
import { z } from 'zod';
import { checkAnnotations } from './annotations.ts';
import { boundsOf } from './bounds.ts';
import { checkEdgeUnit, type UnitFacts } from './edge-unit.ts';
import { type Findings, joined } from './findings.ts';
import { checkUnitApp } from './unit-app.ts';

const object = z.looseObject({
  metadata: z.looseObject({
    name: z.string().optional(),
    deletionTimestamp: z.string().nullish(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});

/** What is read of a write. Source: `admission.k8s.io/v1` AdmissionReview. */
const schema = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.object({
    uid: z.string().max(256),
    operation: z.enum(['CREATE', 'UPDATE']),
    resource: z.object({ group: z.string(), resource: z.string() }),
    object,
    oldObject: object.nullish(),
  }),
});

export type Write = z.output<typeof schema>['request'];

export interface ValidationDeps {
  readonly edgeUnits: Pick<ObjectReader<EdgeUnitObject>, 'values'>;
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
}

/** What is answered to a write. */
export interface Validated {
  readonly why: string | undefined;
  readonly warnings: readonly string[];
}

/** More is no help to anybody; kubectl shows each warning on a line of its own. */
const maxTold = 5;
const maxLength = 1_024;
/** For what is looked at unit by unit: the tunnels of this server wait meanwhile, and the API server does. */
const maxMs = 250;

/** Throws `Invalid`. */
export function parseWrite(text: string): Write {
  try {
    const write = schema.parse(JSON.parse(text)).request;
    const bounds = boundsOf[write.resource.resource];
    for (const one of [write.object, write.oldObject]) if (one) bounds?.parse(one['spec']);
    return write;
  } catch (cause) {
    const message = 'it is no AdmissionReview of admission.k8s.io/v1 about a write';
    throw new SelvedgeError(message, { code: 'Invalid', cause });
  }
}

/** The API server has held objects of ours against their schemas before it asks. */
function findingsOf(resource: string, one: KubeObject, facts: UnitFacts): Findings {
  const annotations = checkAnnotations(resource, one);
  if (resource === 'edgeunits') return joined(annotations, checkEdgeUnit(one, facts));
  if (resource === 'unitapps') return joined(annotations, checkUnitApp(one as UnitAppObject, facts));
  return annotations;
}

const told = (texts: readonly string[]): readonly string[] =>
  texts.slice(0, maxTold).map((text) => text.slice(0, maxLength));

/**
 * Whether an object can be used, and what is odd about it. What was wrong with it before is no reason to refuse another change of
 * it, nor is anything while it goes. Pure.
 */
export function validated(
  { resource, object: after, oldObject }: Write,
  { edgeUnits, clock }: ValidationDeps,
): Validated {
  if (typeof after.metadata.deletionTimestamp === 'string') return { why: undefined, warnings: [] };
  const units = (): Iterable<EdgeUnitObject> => edgeUnits.values();
  const look = (one: KubeObject): Findings => {
    const endMs = clock.monotonicMs() + maxMs;
    const hasTime = (): boolean => clock.monotonicMs() < endMs;
    return findingsOf(resource.resource, one, { units, now: clock.now(), hasTime });
  };
  const found = look(after as KubeObject);
  const isNew = oldObject === undefined || oldObject === null;
  const before = found.problems.length === 0 || isNew ? [] : look(oldObject as KubeObject).problems;
  const problems = found.problems.filter((problem) => !before.includes(problem));
  const left = found.problems.filter((problem) => before.includes(problem));
  return {
    why: problems.length === 0 ? undefined : told(problems).join('; '),
    warnings: told([...left.map((problem) => `still so: ${problem}`), ...found.warnings]),
  };
}
