import { type ErrorCode, type SelvedgeError, hasCode } from '@selvedge/kit';

/**
 * What an API server says that is away for a moment, or has too much to do. One that has just started knows no roles yet, and
 * refuses everybody.
 */
const codes = [
  'Unavailable',
  'DeadlineExceeded',
  'ResourceExhausted',
  'Forbidden',
  'Unauthenticated',
] as const satisfies readonly ErrorCode[];

/** Whether time may mend it. */
export const isTransient = (error: unknown): error is SelvedgeError => hasCode(error, ...codes);
