import { SelvedgeError, messageOf, type ErrorCode } from '@selvedge/kit';
import { decodeReason, encodeReason, reasonHeader } from './reason.ts';

/** The status of the answer to a CONNECT, for each error; what is not here is 500. */
const statuses: Partial<Record<ErrorCode, number>> = {
  Invalid: 400,
  Unauthenticated: 403,
  Forbidden: 403,
  NotFound: 404,
  ResourceExhausted: 429,
  Unsupported: 501,
  Unavailable: 502,
  DeadlineExceeded: 504,
};

const codes: ReadonlyMap<number, ErrorCode> = new Map([
  [400, 'Invalid'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [429, 'ResourceExhausted'],
  [501, 'Unsupported'],
  [502, 'Unavailable'],
  [503, 'Unavailable'],
  [504, 'DeadlineExceeded'],
]);

/** The head of the answer that says why there is no stream. */
export function refusalOf(error: unknown): { readonly ':status': number; readonly [reasonHeader]: string } {
  const code = error instanceof SelvedgeError ? error.code : 'Unavailable';
  return { ':status': statuses[code] ?? 500, [reasonHeader]: encodeReason(messageOf(error)) };
}

/** The error of an answer that is not 200. The other end's words are the message. */
export function errorOfAnswer(
  authority: string,
  head: { readonly ':status'?: number; readonly [name: string]: unknown },
): SelvedgeError {
  const status = head[':status'] ?? 0;
  const reason = decodeReason(head[reasonHeader]) || `answered ${status}`;
  return new SelvedgeError(`${authority}: ${reason}`, {
    code: codes.get(status) ?? 'Internal',
    details: { status },
  });
}
