import { type ErrorCode, SelvedgeError } from '@selvedge/kit';

/** Source: https://grpc.github.io/grpc/core/md_doc_statuscodes.html. The index is the number on the wire. */
const statuses: readonly (readonly [name: string, code: ErrorCode])[] = [
  ['OK', 'Internal'],
  // Nobody here asked for it (an own abort never gets this far), so it must not pass for one of our own.
  ['CANCELLED', 'Unavailable'],
  ['UNKNOWN', 'Internal'],
  ['INVALID_ARGUMENT', 'Invalid'],
  ['DEADLINE_EXCEEDED', 'DeadlineExceeded'],
  ['NOT_FOUND', 'NotFound'],
  ['ALREADY_EXISTS', 'AlreadyExists'],
  ['PERMISSION_DENIED', 'Forbidden'],
  ['RESOURCE_EXHAUSTED', 'ResourceExhausted'],
  ['FAILED_PRECONDITION', 'Conflict'],
  ['ABORTED', 'Conflict'],
  ['OUT_OF_RANGE', 'Invalid'],
  ['UNIMPLEMENTED', 'Unsupported'],
  ['INTERNAL', 'Internal'],
  ['UNAVAILABLE', 'Unavailable'],
  ['DATA_LOSS', 'Corrupt'],
  ['UNAUTHENTICATED', 'Unauthenticated'],
];

const unknown = 2;

/** What a call came to, before it is an error. */
export interface Outcome {
  /** 0 is success. Numbers that gRPC does not know count as UNKNOWN. */
  readonly status: number;
  readonly message: string;
}

/** The error for anything but success. `path` is `/package.Service/Method`. */
export function statusError(path: string, outcome: Outcome, cause?: unknown): SelvedgeError {
  const [name, code] = statuses[outcome.status] ?? statuses[unknown] ?? ['UNKNOWN', 'Internal'];
  const method = path.slice(path.lastIndexOf('/') + 1);
  return new SelvedgeError(`${method}: ${outcome.message}`, { code, cause, details: { grpcStatus: name } });
}

/** For what goes wrong on this side of the connection. */
export function callError(
  path: string,
  name: string,
  options: { message: string; cause?: unknown },
): SelvedgeError {
  const status = statuses.findIndex(([known]) => known === name);
  return statusError(path, { status, message: options.message }, options.cause);
}

/**
 * The status of an answer that did not come from a gRPC server.
 * Source: https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
 */
export function outcomeOfHttp(httpStatus: number): Outcome {
  const named: Readonly<Record<number, number>> = {
    400: 13,
    401: 16,
    403: 7,
    404: 12,
    429: 14,
    502: 14,
    503: 14,
    504: 14,
  };
  return {
    status: named[httpStatus] ?? unknown,
    message: `HTTP status ${httpStatus} instead of a gRPC answer`,
  };
}

/**
 * The status of a stream that was reset before it had one. `code` is HTTP/2's error code.
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Errors".
 */
export function outcomeOfReset(code: number): Outcome {
  const named: Readonly<Record<number, number>> = { 7: 14, 8: 1, 11: 8, 12: 7 };
  return { status: named[code] ?? 13, message: `the stream was reset with HTTP/2 error ${code}` };
}
