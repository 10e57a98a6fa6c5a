import { type ErrorCode, SelvedgeError, explain, messageOf } from '@selvedge/kit';
import type { Answer } from '../listen/index.ts';

/** The one place where an error becomes an answer. */
const statuses: Readonly<Record<ErrorCode, number>> = {
  Invalid: 400,
  Unauthenticated: 401,
  Forbidden: 403,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  ResourceExhausted: 429,
  Unsupported: 501,
  Unavailable: 503,
  DeadlineExceeded: 504,
  Aborted: 503,
  Corrupt: 500,
  Internal: 500,
};

/** What an error may carry in its details to say more than its code. */
interface Facts {
  readonly status?: unknown;
  readonly retryAfterSeconds?: unknown;
  readonly allow?: unknown;
}

const serverErrors = 500;

/** Text as the kubelet sends it, for people. */
export const textAnswer = (status: number, text: string): Answer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  body: Buffer.from(text),
});

export function jsonAnswer(value: unknown): Answer & { readonly body: Uint8Array } {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** The answer to a request that failed: plain text, which the API server and kubectl pass on. Pure. */
export function refusalOf(error: unknown): Answer & { readonly body: Uint8Array } {
  const facts: Facts = error instanceof SelvedgeError ? error.details : {};
  const known = error instanceof SelvedgeError ? statuses[error.code] : serverErrors;
  const status = typeof facts.status === 'number' ? facts.status : known;
  // To strangers no more is said than the kubelet says.
  const text = status === statuses.Unauthenticated ? 'Unauthorized' : messageOf(error);
  const { headers } = textAnswer(status, '');
  return {
    status,
    headers: {
      ...headers,
      ...(typeof facts.retryAfterSeconds === 'number'
        ? { 'retry-after': String(facts.retryAfterSeconds) }
        : {}),
      ...(typeof facts.allow === 'string' ? { allow: facts.allow } : {}),
    },
    body: Buffer.from(status === statuses.Unavailable ? explain(error) : text),
  };
}
