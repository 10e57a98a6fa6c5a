export type { CustomFields } from './field-tables.ts';
export { valueAt } from './fields.ts';
export {
  compileSelection,
  covers,
  matchesSelection,
  type Selection,
  type Selector,
} from './selection.ts';
