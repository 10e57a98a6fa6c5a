import { type ErrorCode, SelvedgeError, explain, messageOf } from '@selvedge/kit';
import { type WholeAnswer, textAnswer } from '@selvedge/kit/serve';

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

export const jsonAnswer = (value: unknown): WholeAnswer =>
  textAnswer(200, JSON.stringify(value), 'application/json');

/** The answer to a request that failed: plain text, which the API server and kubectl pass on. Pure. */
export function refusalOf(error: unknown): WholeAnswer {
  const facts: Facts = error instanceof SelvedgeError ? error.details : {};
  const known = error instanceof SelvedgeError ? statuses[error.code] : serverErrors;
  const status = typeof facts.status === 'number' ? facts.status : known;
  // To strangers no more is said than the kubelet says.
  const text = status === statuses.Unauthenticated ? 'Unauthorized' : messageOf(error);
  const answer = textAnswer(status, status === statuses.Unavailable ? explain(error) : text);
  return {
    ...answer,
    headers: {
      ...answer.headers,
      ...(typeof facts.retryAfterSeconds === 'number'
        ? { 'retry-after': String(facts.retryAfterSeconds) }
        : {}),
      ...(typeof facts.allow === 'string' ? { allow: facts.allow } : {}),
    },
  };
}
