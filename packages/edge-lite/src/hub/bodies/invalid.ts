import { SelvedgeError } from '@selvedge/kit';

/** Bytes that are not what their type says. */
export function invalid(what: string, cause?: unknown): SelvedgeError {
  return new SelvedgeError(`the request's body is not valid: ${what}`, { code: 'Invalid', cause });
}
