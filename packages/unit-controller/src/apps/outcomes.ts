import { type SelvedgeError, hasCode } from '@selvedge/kit';

/** Somebody else was faster: the watch brings what he did. */
export const isPassing = (error: unknown): error is SelvedgeError =>
  hasCode(error, 'Conflict', 'NotFound', 'AlreadyExists');

/** Of an apply with a field that the schema does not have, which the API server answers with 500. */
const untyped = 'failed to create typed patch object';

const tooLarge = 413;

/** The API server would say it again. */
export const isFinal = (error: unknown): error is SelvedgeError =>
  hasCode(error, 'Invalid', 'Forbidden', 'Unsupported') ||
  (hasCode(error, 'ResourceExhausted') && error.details['status'] === tooLarge) ||
  (hasCode(error, 'Internal') && error.message.includes(untyped));
