import type { KubeObject } from '@selvedge/kube';
import type { HeldResource } from '../../replica/types.ts';
import { valueAt } from '../../selection/index.ts';
import { nameColumn } from './columns.ts';
import { age } from './format.ts';
import type { Cell, Column, Printer } from './types.ts';

/** One of a CustomResourceDefinition's `additionalPrinterColumns`. */
export interface CustomColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string | undefined;
  readonly description?: string | undefined;
  readonly priority?: number | undefined;
  readonly jsonPath: string;
}

/** Undefined: nothing is known of the resource. */
export type CustomColumns = (resource: HeldResource) => readonly CustomColumn[] | undefined;

/** The steps of a simple path: `.status.conditions[0].type`, `.metadata.labels['a\.b']`; `*` for all items. */
function stepsOf(path: string): readonly string[] {
  const words = path.matchAll(/\.((?:\\.|[^.[\\])+)|\[(\d+|\*)\]|\['((?:\\.|[^'\\])+)'\]/g);
  return [...words].map(([, field, index, quoted]) =>
    (field ?? index ?? quoted ?? '').replaceAll(/\\(.)/g, '$1'),
  );
}

/** `[?(@.type=="Ready")]`: the one filter that columns are known to use. */
const filter = /^(.*?)\[\?\(@\.([\w.-]+)\s*==\s*["']([^"']*)["']\)\](.*)$/;

/** The first value at a path, as JSONPath has it, restricted to fields, indexes and one filter by equality. */
function find(object: unknown, path: string): unknown {
  const match = filter.exec(path);
  if (match === null) return valueAt(object, stepsOf(path));
  const [, before = '', field = '', wanted = '', after = ''] = match;
  const items = valueAt(object, stepsOf(before));
  const found = Array.isArray(items)
    ? items.find((item: unknown) => valueAt(item, field.split('.')) === wanted)
    : undefined;
  return find(found, after);
}

const typesOfColumns: Readonly<Record<string, Column['type']>> = {
  integer: 'integer',
  number: 'number',
  boolean: 'boolean',
  date: 'date',
};

type CellWriter = (value: unknown, nowMs: number) => Cell;

const numberCell: CellWriter = (value) => (typeof value === 'number' ? value : null);

const writers: Readonly<Record<Column['type'], CellWriter>> = {
  date: age,
  integer: numberCell,
  number: numberCell,
  boolean: (value) => (typeof value === 'boolean' ? value : null),
  string: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
};

function cellOf(value: unknown, type: Column['type'], nowMs: number): Cell {
  return value === undefined || value === null ? null : writers[type](value, nowMs);
}

/** Source: kubernetes.io "Custom Resource Definitions", additional printer columns. */
export function customPrinter(columns: readonly CustomColumn[]): Printer {
  const own = columns.map(
    ({ name, type, format = '', description = '', priority = 0 }): Column => ({
      name,
      type: typesOfColumns[type] ?? 'string',
      format,
      description,
      priority,
    }),
  );
  return {
    columns: [nameColumn, ...own],
    cells: (object: KubeObject, nowMs) => [
      object.metadata.name ?? '',
      ...columns.map(({ jsonPath }, at) => cellOf(find(object, jsonPath), own[at]?.type ?? 'string', nowMs)),
    ],
  };
}
