import { SelvedgeError } from '@selvedge/kit';
import {
  formatFieldSelector,
  formatLabelSelector,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  type FieldRequirement,
  type FieldRequirements,
  type KubeObject,
  type LabelRequirements,
} from '@selvedge/kube';
import type { CoverageSpec, HeldResource, ObjectName } from '../replica/types.ts';
import { resourceParts } from '../request-info/index.ts';
import { fieldsOf, type CustomFields, type FieldsOf } from './field-tables.ts';

/** Which objects of a resource are meant. Empty texts: all of them. */
export type Selection = Pick<CoverageSpec, 'namespace' | 'labelSelector' | 'fieldSelector'>;

/** A selection that was read once. */
export interface Selector {
  /** In canonical form: equal for selections that are written differently and mean the same requirements. */
  readonly selection: Selection;
  readonly everything: boolean;
  /** Every field that it asks for has a value here: `matches` is never undefined. */
  readonly complete: boolean;
  /** The one name that an object must have. */
  readonly name: string | undefined;
  /** Nothing but namespace and name counts: `mayBeAt` says it all. */
  readonly byPlace: boolean;
  /** False for places where no object of the selection can be. */
  mayBeAt(place: ObjectName): boolean;
  /** Undefined: it depends on a field whose value nobody here can tell. */
  matches(object: KubeObject): boolean | undefined;
}

const none: CustomFields = () => undefined;

/** Sorted, each once: the order and repetition of requirements mean nothing. */
function canonical<T>(requirements: readonly T[], format: (one: readonly T[]) => string): string {
  return [...new Set(requirements.map((one) => format([one])))].toSorted().join(',');
}

function checkFields(requirements: FieldRequirements, { kind, table }: FieldsOf): void {
  const wrong = requirements.find(({ field }) => !Object.hasOwn(table.fields, field));
  if (wrong === undefined || kind === 'partial') return;
  throw new SelvedgeError(table.refusal(wrong.field), { code: 'Invalid' });
}

function evaluable({ table }: FieldsOf, { field }: FieldRequirement): boolean {
  return Object.hasOwn(table.fields, field);
}

interface Parsed {
  readonly namespace: string;
  readonly labels: LabelRequirements;
  readonly fields: FieldRequirements;
}

function parse(selection: Selection, { table }: FieldsOf): Parsed {
  const fields = parseFieldSelector(selection.fieldSelector);
  return {
    namespace: selection.namespace,
    labels: parseLabelSelector(selection.labelSelector),
    fields: fields.map((one) => ({ ...one, field: table.aliases?.[one.field] ?? one.field })),
  };
}

/**
 * Reads a selection of a resource. Throws `Invalid`: for a field that the resource cannot be selected by, in the API
 * server's own words. `custom` tells of custom resources; default: nothing is known of any.
 */
export function compileSelection(
  resource: HeldResource,
  selection: Selection,
  custom: CustomFields = none,
): Selector {
  const known = fieldsOf(resource, custom);
  const { namespace, labels, fields } = parse(selection, known);
  checkFields(fields, known);
  const told = fields.filter((one) => evaluable(known, one));
  const allTold = told.length === fields.length;
  const name = fields.find(({ field, operator }) => field === 'metadata.name' && operator === '=')?.value;
  const byPlace = labels.length === 0 && fields.length === (name === undefined ? 0 : 1);
  const metadataMatches = (object: KubeObject): boolean =>
    (namespace === '' || namespace === object.metadata.namespace) &&
    matchesLabels(labels, object.metadata.labels);
  return {
    selection: {
      namespace,
      labelSelector: canonical(labels, formatLabelSelector),
      fieldSelector: canonical(fields, formatFieldSelector),
    },
    everything: namespace === '' && name === undefined && byPlace,
    complete: allTold,
    name,
    byPlace,
    mayBeAt: (place) =>
      (namespace === '' || namespace === place.namespace) && (name === undefined || name === place.name),
    matches(object) {
      if (!metadataMatches(object)) return false;
      const matches = matchesFields(told, (field) => known.table.fields[field]?.(object) ?? '');
      return matches && !allTold ? undefined : matches;
    },
  };
}

/** Whether an object is selected. Undefined: nobody here can tell. Throws `Invalid` as `compileSelection`. */
export function matchesSelection(
  resource: HeldResource,
  selection: Selection,
  object: KubeObject,
): boolean | undefined {
  return compileSelection(resource, selection).matches(object);
}

/** The spec with its selectors in canonical form. Throws `Invalid`. */
export function canonicalSpec(spec: CoverageSpec, custom: CustomFields = none): CoverageSpec {
  return { resource: spec.resource, ...compileSelection(spec.resource, spec, custom).selection };
}

function answersResource(wide: HeldResource, narrow: HeldResource): boolean {
  return wide === narrow || (resourceParts(narrow).metadataOnly && narrow.startsWith(`${wide};`));
}

const partsOf = (texts: readonly string[]): ReadonlySet<string> => new Set(texts);

/** Every requirement of the wide one is one of the narrow one's. */
function asksAtLeast(wide: Parsed, narrow: Parsed): boolean {
  const labels = partsOf(narrow.labels.map((one) => formatLabelSelector([one])));
  const fields = partsOf(narrow.fields.map((one) => formatFieldSelector([one])));
  return (
    wide.labels.every((one) => labels.has(formatLabelSelector([one]))) &&
    wide.fields.every((one) => fields.has(formatFieldSelector([one])))
  );
}

/**
 * Whether everything that `narrow` asks for is held where `wide` is held complete, and can be picked out of it. What is
 * held whole answers for its metadata, not the other way round. Throws `Invalid` only for what is no selector at all.
 */
export function covers(wide: CoverageSpec, narrow: CoverageSpec, custom: CustomFields = none): boolean {
  if (!answersResource(wide.resource, narrow.resource)) return false;
  if (wide.namespace !== '' && wide.namespace !== narrow.namespace) return false;
  const held = fieldsOf(wide.resource, custom);
  const [whole, part] = [parse(wide, held), parse(narrow, held)];
  if (!asksAtLeast(whole, part)) return false;
  const settled = partsOf(whole.fields.map((one) => formatFieldSelector([one])));
  return part.fields.every((one) => settled.has(formatFieldSelector([one])) || evaluable(held, one));
}
