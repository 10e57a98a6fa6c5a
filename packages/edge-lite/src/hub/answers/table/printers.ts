import type { HeldResource } from '../../replica/types.ts';
import { column, nameColumn } from './columns.ts';
import { customPrinter, type CustomColumns } from './custom.ts';
import type { Printer } from './types.ts';

/** By resource. */
const known: Readonly<Record<HeldResource, Printer>> = {};

/** Of what nobody knows better: the name and when it was made. */
const plainPrinter: Printer = {
  columns: [nameColumn, { ...column('Created At', { type: 'date' }) }],
  cells: ({ metadata }) => [metadata.name ?? '', metadata.creationTimestamp ?? null],
};

const agePrinter = customPrinter([{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }]);

export function printerOf(resource: HeldResource, custom: CustomColumns): Printer {
  const own = known[resource];
  if (own !== undefined) return own;
  const columns = custom(resource);
  if (columns === undefined) return plainPrinter;
  return columns.length === 0 ? agePrinter : customPrinter(columns);
}
