import { labels } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import {
  type JsonObject,
  type LabelSet,
  isList,
  isObject,
  labelRequirementsOf,
  matchesLabels,
} from '@selvedge/kube';
import { type EdgeUnitObject, nameOf } from '../objects.ts';

/** What texts and selectors of a UnitApp may ask of a unit. */
export interface UnitValues {
  readonly name: string;
  /** Its own, and `selvedge.io/unit` with its name. */
  readonly labels: LabelSet;
}

export function valuesOf(unit: EdgeUnitObject): UnitValues {
  const name = nameOf(unit);
  return { name, labels: { ...unit.metadata.labels, [labels.unit]: name } };
}

type Selector = Parameters<typeof labelRequirementsOf>[0];

/** Throws `Invalid` if the selector is none. Pure. */
export const isSelected = (selector: Selector, unit: UnitValues): boolean =>
  matchesLabels(labelRequirementsOf(selector), unit.labels);

const variable = /\{\{\s*unit\.([^{}\s]*)\s*\}\}/g;
const labelPrefix = 'labels.';

function valueOf(path: string, unit: UnitValues): string {
  if (path === 'name') return unit.name;
  const key = path.startsWith(labelPrefix) ? path.slice(labelPrefix.length) : undefined;
  const value = key !== undefined && Object.hasOwn(unit.labels, key) ? unit.labels[key] : undefined;
  if (value !== undefined) return value;
  const why =
    key === undefined ? 'is no variable' : `is not known: the unit ${unit.name} has no label ${key}`;
  throw new SelvedgeError(`{{unit.${path}}} ${why}`, { code: 'Invalid' });
}

/**
 * The text with `{{unit.name}}` and `{{unit.labels.KEY}}` replaced by what they stand for, each put through `encode`;
 * other braces stay. Throws `Invalid` for a label that the unit does not have. Pure.
 */
export const substituted = (
  text: string,
  unit: UnitValues,
  encode: (value: string) => string = (value) => value,
): string => text.replaceAll(variable, (_, path: string) => encode(valueOf(path, unit)));

/** Every text in a value, at any depth; keys stay. Nothing that a variable stands for can become more than text. Pure. */
export function substitutedIn(value: unknown, unit: UnitValues): unknown {
  if (typeof value === 'string') return substituted(value, unit);
  if (isList(value)) return value.map((item) => substitutedIn(item, unit));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, substitutedIn(inner, unit)] as const),
  ) satisfies JsonObject;
}

/** Throws `Invalid` if a text in what is of all units asks of one. Pure. */
export function checkOfAll(value: unknown, what: string): void {
  const [found] = JSON.stringify(value).match(variable) ?? [];
  if (found === undefined) return;
  throw new SelvedgeError(`${found} cannot be in ${what}: it is one for all units`, { code: 'Invalid' });
}
