import { SelvedgeError, systemCode, type ErrorCode } from '@selvedge/kit';
import type { Status } from './gen/types.ts';

/**
 * The only place where an HTTP answer of an API server becomes an error. `details` carry `status` (the HTTP code),
 * `reason` (the Status' reason, else the empty string), and `retryAfterSeconds` if the server named it.
 * Source: kubernetes.io "API Conventions", "HTTP Status codes" and "Response Status Kind".
 */
const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'Invalid',
  401: 'Unauthenticated',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'Unsupported',
  406: 'Unsupported',
  409: 'Conflict',
  410: 'Gone',
  413: 'ResourceExhausted',
  415: 'Unsupported',
  422: 'Invalid',
  429: 'ResourceExhausted',
  500: 'Internal',
  501: 'Unsupported',
  502: 'Unavailable',
  503: 'Unavailable',
  504: 'DeadlineExceeded',
};

function codeOf(httpStatus: number, status: Partial<Status>): ErrorCode {
  if (status.reason === 'AlreadyExists') return 'AlreadyExists';
  // The server's history is shorter than the client's: only a new list helps, as after 410.
  if (status.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge')) return 'Gone';
  return codes[httpStatus] ?? (httpStatus >= 500 ? 'Internal' : 'Invalid');
}

function asStatus(body: unknown): Partial<Status> {
  if (typeof body !== 'object' || body === null || !('kind' in body) || body.kind !== 'Status') return {};
  return body as Status;
}

export interface FailedAnswer {
  /** What was asked for: `get pods kube-system/dns`. */
  readonly what: string;
  readonly httpStatus: number;
  /** The parsed body, or its text if it is not JSON. */
  readonly body: unknown;
  readonly retryAfterSeconds?: number | undefined;
}

/** The error for an answer outside 2xx, or for the Status inside a watch's ERROR event. */
export function statusError(answer: FailedAnswer): SelvedgeError {
  const status = asStatus(answer.body);
  const text = typeof answer.body === 'string' ? answer.body.slice(0, 200).trim() : '';
  const said = status.message ?? (text === '' ? `HTTP ${answer.httpStatus}` : text);
  const code = codeOf(answer.httpStatus, status);
  const retryAfterSeconds = answer.retryAfterSeconds ?? status.details?.retryAfterSeconds;
  return new SelvedgeError(`${answer.what}: ${said}`, {
    code,
    ...(code === 'Unauthenticated' ? { hint: 'the API server does not accept the credentials' } : {}),
    details: {
      status: answer.httpStatus,
      reason: status.reason ?? '',
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
  });
}

/** The error for a connection that could not be made or broke. Ours and aborts pass unchanged. */
export function transportError(what: string, cause: unknown): unknown {
  if (cause instanceof SelvedgeError) return cause;
  const code = systemCode(cause);
  const details = code === undefined ? {} : { systemCode: code };
  return new SelvedgeError(what, { code: 'Unavailable', cause, details });
}
