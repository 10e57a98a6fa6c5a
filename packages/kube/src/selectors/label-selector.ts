import { SelvedgeError } from '@selvedge/kit';
import type { LabelSelector } from '../gen/types.ts';
import { parseRequirements } from './label-parser.ts';
import { isLabelKey, isLabelValue, type LabelOperator, type LabelRequirement } from './label-syntax.ts';

/** All of them must hold; none selects everything. Sorted by key. */
export type LabelRequirements = readonly LabelRequirement[];

export type LabelSet = Readonly<Record<string, string>>;

const valueCounts: Readonly<Record<LabelOperator, (count: number) => boolean>> = {
  In: (count) => count > 0,
  NotIn: (count) => count > 0,
  Exists: (count) => count === 0,
  DoesNotExist: (count) => count === 0,
  Gt: (count) => count === 1,
  Lt: (count) => count === 1,
};

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

/** As Go's strconv.ParseInt(text, 10, 64); undefined if it is none. */
function integer(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.replace('+', ''));
  return value < int64.min || value > int64.max ? undefined : value;
}

function problemOf({ key, operator, values }: LabelRequirement): string | undefined {
  if (!isLabelKey(key)) return `${JSON.stringify(key)} is not a label key`;
  if (!valueCounts[operator](values.length)) return `${operator} cannot have ${values.length} values`;
  const wrong = values.find((value) => !isLabelValue(value));
  if (wrong !== undefined) return `${JSON.stringify(wrong)} is not a label value`;
  const numeric = operator === 'Gt' || operator === 'Lt';
  return numeric && integer(values[0]) === undefined ? `${operator} needs an integer` : undefined;
}

function checked(text: string, requirements: LabelRequirements): LabelRequirements {
  for (const requirement of requirements) {
    const problem = problemOf(requirement);
    if (problem !== undefined) throw new SelvedgeError(`selector ${text}: ${problem}`, { code: 'Invalid' });
  }
  return requirements
    .map(({ key, operator, values }) => ({ key, operator, values: [...new Set(values)].toSorted() }))
    .toSorted((a, b) => (a.key === b.key ? 0 : a.key < b.key ? -1 : 1));
}

/**
 * Parses the string form: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`. Throws `Invalid`.
 * Source: kubernetes.io "Labels and Selectors".
 */
export function parseLabelSelector(text: string): LabelRequirements {
  return checked(JSON.stringify(text), parseRequirements(text));
}

const operators: Readonly<Record<string, LabelOperator>> = {
  In: 'In',
  NotIn: 'NotIn',
  Exists: 'Exists',
  DoesNotExist: 'DoesNotExist',
};

/**
 * The requirements of a LabelSelector object; an empty one selects everything. Throws `Invalid`. What an absent selector
 * means (nothing, mostly) depends on the field and is the caller's business.
 */
export function labelRequirementsOf(selector: LabelSelector): LabelRequirements {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const equal = Object.entries(matchLabels).map(([key, value]) => ({
    key,
    operator: 'In' as const,
    values: [value],
  }));
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    const known = operators[operator];
    if (known === undefined)
      throw new SelvedgeError(`selector: unknown operator ${operator}`, { code: 'Invalid' });
    return { key, operator: known, values };
  });
  return checked('object', [...equal, ...expressions]);
}

function matchesOne({ key, operator, values }: LabelRequirement, labels: LabelSet): boolean {
  const label = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return label !== undefined && values.includes(label);
    case 'NotIn':
      return label === undefined || !values.includes(label);
    case 'Exists':
      return label !== undefined;
    case 'DoesNotExist':
      return label === undefined;
    case 'Gt':
    case 'Lt':
      return comparesAs(operator, integer(label), integer(values[0]));
  }
}

function comparesAs(operator: 'Gt' | 'Lt', label: bigint | undefined, bound: bigint | undefined): boolean {
  if (label === undefined || bound === undefined) return false;
  return operator === 'Gt' ? label > bound : label < bound;
}

export function matchesLabels(requirements: LabelRequirements, labels: LabelSet | undefined): boolean {
  return requirements.every((requirement) => matchesOne(requirement, labels ?? {}));
}

function formatOne({ key, operator, values }: LabelRequirement): string {
  const [first = ''] = values;
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${first}` : `${key} in (${values.join(',')})`;
    case 'NotIn':
      return values.length === 1 ? `${key}!=${first}` : `${key} notin (${values.join(',')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'Gt':
      return `${key}>${first}`;
    case 'Lt':
      return `${key}<${first}`;
  }
}

/** The string form, which `parseLabelSelector` reads back to the same requirements. */
export function formatLabelSelector(requirements: LabelRequirements): string {
  return requirements.map(formatOne).join(',');
}
