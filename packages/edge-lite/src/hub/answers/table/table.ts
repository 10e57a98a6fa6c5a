import type { KubeObject } from '@selvedge/kube';
import type { Form } from '../accept.ts';
import { badRequest } from '../errors.ts';
import { partialObject } from '../metadata.ts';
import type { Cell, Printer } from './types.ts';

/** How much of each object a row carries. Source: metav1.TableOptions. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** The parameter of a request. Throws 400. */
export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const said = query.get('includeObject') ?? '';
  if (said === '') return 'Metadata';
  if (said === 'None' || said === 'Metadata' || said === 'Object') return said;
  const message = `Invalid value: ${JSON.stringify(said)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequest(`Unable to convert to Table as requested: includeObject: ${message}`);
}

export interface TableOptions {
  readonly includeObject: IncludeObject;
  /** Of `meta.k8s.io`. */
  readonly version: Form['version'];
}

/** Writes objects as rows of tables. */
export interface TableWriter {
  /** A row, as JSON. */
  row(object: KubeObject): string;
  /** Everything of a table before its rows; the column definitions may be left out. */
  head(metadata: object, withColumns: boolean): string;
}

interface TableDeps {
  readonly printer: Printer;
  readonly now: () => number;
}

/** A row of a table. */
export function tableRow(
  object: KubeObject,
  { includeObject, version }: TableOptions,
  { printer, now }: TableDeps,
): { readonly cells: readonly Cell[]; readonly object: KubeObject | null } {
  const reduced = includeObject === 'Metadata' ? partialObject(object, version) : null;
  return { cells: printer.cells(object, now()), object: includeObject === 'Object' ? object : reduced };
}

export function createTableWriter(options: TableOptions, deps: TableDeps): TableWriter {
  const { version } = options;
  const { printer } = deps;
  return {
    row: (object) => JSON.stringify(tableRow(object, options, deps)),
    head: (metadata, withColumns) => {
      const columns = withColumns ? JSON.stringify(printer.columns) : 'null';
      const type = `"kind":"Table","apiVersion":"meta.k8s.io/${version}"`;
      return `{${type},"metadata":${JSON.stringify(metadata)},"columnDefinitions":${columns},"rows":[`;
    },
  };
}
