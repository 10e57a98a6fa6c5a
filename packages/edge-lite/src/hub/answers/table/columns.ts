import type { KubeObject } from '@selvedge/kube';
import { formatLabelSelector, labelRequirementsOf } from '@selvedge/kube';
import type { Container, LabelSelector } from '@selvedge/kube/types';
import { age } from './format.ts';
import type { Cell, Column, Printer } from './types.ts';

/** A column by its name: `+` in front, shown only where there is room; `#` behind, integers; `?` behind, yes or no. */
function columnOf(text: string): Column {
  const [, wide = '', name = '', suffix = ''] = /^(\+?)(.*?)([#?]?)$/.exec(text) ?? [];
  const types: Readonly<Record<string, Column['type']>> = { '#': 'integer', '?': 'boolean' };
  return {
    name,
    type: types[suffix] ?? 'string',
    format: name === 'Name' ? 'name' : '',
    description: descriptions[name] ?? '',
    priority: wide === '+' ? 1 : 0,
  };
}

const descriptions: Readonly<Record<string, string>> = {
  Name: 'The name of the object, unique within its namespace.',
  Age: 'The time since the object was created.',
};

export const nameColumn: Column = columnOf('Name');

/** `cells` says of which type the objects are. */
export function printer(
  columns: readonly string[],
  cells: (object: never, nowMs: number) => readonly Cell[],
): Printer {
  return { columns: columns.map(columnOf), cells: (object, nowMs) => cells(object as never, nowMs) };
}

/** A number that is left out where it is zero. */
export const int = (value: number | undefined): number => value ?? 0;

export const nameOf = ({ metadata }: KubeObject): string => metadata.name ?? '';

export function ageOf({ metadata }: KubeObject, nowMs: number): string {
  return age(metadata.creationTimestamp, nowMs);
}

/** `text`, or `absent` where there is none. */
export function or(text: string | undefined, absent = '<none>'): string {
  return text === undefined || text === '' ? absent : text;
}

/** `a=b,c=d` in the order of the keys. */
export function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return or(pairs.toSorted().join(','));
}

export function selectorText(selector: LabelSelector | undefined): string {
  return or(selector === undefined ? '' : formatLabelSelector(labelRequirementsOf(selector)));
}

/** Names and images. */
export function containerCells(containers: readonly Container[]): readonly [string, string] {
  return [containers.map(({ name }) => name).join(), containers.map(({ image = '' }) => image).join()];
}
