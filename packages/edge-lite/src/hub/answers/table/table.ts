import type { KubeObject } from '@selvedge/kube';
import type { Form } from '../accept.ts';
import { badRequest } from '../errors.ts';
import { partialObject } from '../metadata.ts';
import type { Printer } from './types.ts';

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

export function createTableWriter(
  { includeObject, version }: TableOptions,
  { printer, now }: { readonly printer: Printer; readonly now: () => number },
): TableWriter {
  const included = (object: KubeObject): KubeObject | null => {
    if (includeObject === 'Object') return object;
    return includeObject === 'Metadata' ? partialObject(object, version) : null;
  };
  return {
    row: (object) => JSON.stringify({ cells: printer.cells(object, now()), object: included(object) }),
    head: (metadata, withColumns) => {
      const columns = withColumns ? JSON.stringify(printer.columns) : 'null';
      const type = `"kind":"Table","apiVersion":"meta.k8s.io/${version}"`;
      return `{${type},"metadata":${JSON.stringify(metadata)},"columnDefinitions":${columns},"rows":[`;
    },
  };
}
