export { fieldNamed, fieldsOf, typeOf, type Field } from './schema.ts';
