export { bodyChunks, wholeBody } from './body.ts';
export { negotiate, notAcceptable, parseAccept, type Form } from './accept.ts';
export { badRequest, expired, forbidden, invalidFields, notFound, type FieldProblem } from './errors.ts';
export { takesGzip, withGzip } from './gzip.ts';
export { listChunks, listHead, listMetadata, type ListMetadata } from './list.ts';
export { partialObject } from './metadata.ts';
export { errorResponse, statusError, statusOf, type StatusFacts } from './status.ts';
export { unavailable } from './unavailable.ts';
export { staleHeaders, timeText, type Autonomy } from './warning.ts';
export {
  createTableWriter,
  includeObjectOf,
  printerOf,
  tableRow,
  type Cell,
  type Column,
  type CustomColumn,
  type CustomColumns,
  type Printer,
  type TableOptions,
  type TableWriter,
} from './table/index.ts';
