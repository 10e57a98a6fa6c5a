export { customPrinter, type CustomColumn, type CustomColumns } from './custom.ts';
export { printerOf } from './printers.ts';
export {
  createTableWriter,
  includeObjectOf,
  tableRow,
  type TableOptions,
  type TableWriter,
} from './table.ts';
export type { Cell, Column, Printer } from './types.ts';
