import { type ErrorCode, SelvedgeError, messageOf } from '@selvedge/kit';

/** Names the node whose session another server is asked for; who sends it gets no second hop. */
export const relayHeader = 'selvedge-relay-to';

/** In the refusal that the node itself gave: no other session of it gives another. */
export const answeredHeader = 'selvedge-answered-by';

/** Whether the node itself has refused, and not what is on the way to it. */
export const isAnswerOfNode = (error: unknown): boolean =>
  error instanceof SelvedgeError && error.details['status'] !== undefined;

const statuses: Partial<Record<ErrorCode, number>> = {
  Invalid: 400,
  Forbidden: 403,
  Unauthenticated: 407,
  ResourceExhausted: 429,
  Unavailable: 502,
  DeadlineExceeded: 504,
};

/** The status of the answer to who asked for a stream that there is not. */
const statusOf = (error: unknown): number =>
  (error instanceof SelvedgeError ? statuses[error.code] : undefined) ?? 502;

/** What another server's status means. */
export function codeOfStatus(status: number): ErrorCode {
  const known = Object.entries(statuses).find(([, value]) => value === status);
  return (known?.[0] as ErrorCode | undefined) ?? 'Unavailable';
}

/** Characters of a reason. */
const maxReason = 300;

/** The API server shows nothing of an answer but its status line: so the reason is there. Pure. */
export function refusalText(error: unknown): string {
  const reason = messageOf(error)
    .replaceAll(/[^\x21-\x7e]+/g, ' ')
    .trim()
    .slice(0, maxReason);
  const status = statusOf(error);
  const by = isAnswerOfNode(error) ? `${answeredHeader}: node\r\n` : '';
  const how = status === 407 ? 'proxy-authenticate: Bearer\r\n' : '';
  return `HTTP/1.1 ${status} ${reason}\r\n${by}${how}connection: close\r\ncontent-length: 0\r\n\r\n`;
}

/** What comes behind it is the destination's. */
export const acceptance = 'HTTP/1.1 200 Connection established\r\n\r\n';
