export type { CustomFields } from './field-tables.ts';
export { textAt, valueAt, type FieldReader } from './fields.ts';
export {
  canonicalSpec,
  compileSelection,
  covers,
  matchesSelection,
  type Selection,
  type Selector,
} from './selection.ts';
