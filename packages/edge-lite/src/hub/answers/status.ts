import { SelvedgeError, explain, messageOf, type ErrorCode } from '@selvedge/kit';
import type { Status, StatusCause } from '@selvedge/kube/types';
import type { WholeAnswer } from '@selvedge/kit/serve';

interface Meaning {
  readonly code: number;
  readonly reason: string;
}

/** The one place where an error becomes a Status. Source: kubernetes.io "API Conventions", Response Status Kind. */
const meanings: Readonly<Record<ErrorCode, Meaning>> = {
  Invalid: { code: 400, reason: 'BadRequest' },
  Unauthenticated: { code: 401, reason: 'Unauthorized' },
  Forbidden: { code: 403, reason: 'Forbidden' },
  NotFound: { code: 404, reason: 'NotFound' },
  AlreadyExists: { code: 409, reason: 'AlreadyExists' },
  Conflict: { code: 409, reason: 'Conflict' },
  Gone: { code: 410, reason: 'Expired' },
  ResourceExhausted: { code: 429, reason: 'TooManyRequests' },
  Unsupported: { code: 415, reason: 'UnsupportedMediaType' },
  Unavailable: { code: 503, reason: 'ServiceUnavailable' },
  DeadlineExceeded: { code: 504, reason: 'Timeout' },
  Aborted: { code: 503, reason: 'ServiceUnavailable' },
  Corrupt: { code: 500, reason: 'InternalError' },
  Internal: { code: 500, reason: 'InternalError' },
};

/** What clients are advised to wait before they ask again, when nobody said anything else. */
const retryAfterSeconds: Readonly<Record<number, number>> = { 429: 1, 503: 5 };

/** What an error may carry in its details to say more than its code. */
export interface StatusFacts {
  /** The HTTP status. */
  readonly status?: number;
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
  /** Of what it is about, as in the Status' details. */
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  /** A token with which a list can go on although it failed. */
  readonly continue?: string;
}

const detailNames = ['name', 'group', 'kind', 'uid', 'causes'] as const;

/** An error that says exactly which Status it is. */
export function statusError(code: ErrorCode, message: string, facts: StatusFacts = {}): SelvedgeError {
  return new SelvedgeError(message, { code, details: { ...facts } });
}

function factsOf(error: unknown): StatusFacts {
  return error instanceof SelvedgeError ? error.details : {};
}

function meaningOf(error: unknown): Meaning {
  const { status, reason } = factsOf(error);
  const known = meanings[error instanceof SelvedgeError ? error.code : 'Internal'];
  const named = typeof reason === 'string' && reason !== '' ? reason : known.reason;
  return { code: typeof status === 'number' ? status : known.code, reason: named };
}

function detailsOf(facts: StatusFacts, code: number): Status['details'] {
  const retry = facts.retryAfterSeconds ?? retryAfterSeconds[code];
  const said = detailNames
    .map((name) => [name, facts[name]] as const)
    .filter(([, value]) => value !== undefined && value !== '');
  if (said.length === 0 && retry === undefined) return undefined;
  return { ...Object.fromEntries(said), ...(retry === undefined ? {} : { retryAfterSeconds: retry }) };
}

/** The Status of an error. Of unexpected ones it says no more than their redacted message. */
export function statusOf(error: unknown): Status {
  const { code, reason } = meaningOf(error);
  const facts = factsOf(error);
  const details = detailsOf(facts, code);
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: facts.continue === undefined ? {} : { continue: facts.continue },
    status: 'Failure',
    message: code === 503 ? explain(error) : messageOf(error),
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  };
}

/**
 * The answer to a request that failed. Of 503 the advice is in the body alone: at the header client-go asks again by itself,
 * ten times, and what is not there without the cloud is not there in a minute. The kubelet's one worker for pod statuses,
 * and a person at kubectl, would wait for it. Source: client-go `rest/with_retry.go`.
 */
export function errorResponse(error: unknown): WholeAnswer {
  const status = statusOf(error);
  const retry = status.code === 503 ? undefined : status.details?.retryAfterSeconds;
  return {
    status: status.code ?? 500,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-cache, private',
      ...(retry === undefined ? {} : { 'retry-after': String(retry) }),
    },
    body: Buffer.from(`${JSON.stringify(status)}\n`),
  };
}
