import { redact } from './redact.ts';

/**
 * What went wrong, as the caller may handle it. The names follow gRPC's and the Kubernetes API's vocabulary; each
 * boundary (HTTP Status, gRPC, exit code) maps them in one file of its own.
 */
export type ErrorCode =
  | 'Invalid'
  | 'Unauthenticated'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'ResourceExhausted'
  | 'Unsupported'
  | 'Unavailable'
  | 'DeadlineExceeded'
  | 'Aborted'
  | 'Corrupt'
  | 'Internal';

export interface ErrorOptions {
  readonly code: ErrorCode;
  /** What a person should do next. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Small, structured facts for a log line; never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The one error class. The message says what failed and on which thing; it is redacted on construction. */
export class SelvedgeError extends Error {
  override readonly name = 'SelvedgeError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, options: ErrorOptions) {
    super(redact(message), options.cause === undefined ? {} : { cause: options.cause });
    this.code = options.code;
    this.hint = options.hint === undefined ? undefined : redact(options.hint);
    this.details = options.details ?? {};
  }
}

/** True when `error` is ours and carries one of `codes`: catch what you expect, let the rest rise. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is SelvedgeError {
  return error instanceof SelvedgeError && codes.includes(error.code);
}

/** True when `error` only says that `signal` (or, without it, any signal) was aborted. */
export function isAbort(error: unknown, signal?: AbortSignal): boolean {
  if (signal?.aborted === true && error === signal.reason) return true;
  return hasCode(error, 'Aborted') || (error instanceof Error && error.name === 'AbortError');
}

/** The redacted message of anything thrown. */
export function messageOf(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error));
}

/** The POSIX or Node code (`ENOENT`, `ECONNREFUSED`) of a system error, if it has one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The chain of causes in one line, for people, with the outermost hint. */
export function explain(error: unknown): string {
  const lines: string[] = [];
  let hint: string | undefined;
  let one = error;
  do {
    lines.push(messageOf(one));
    hint ??= one instanceof SelvedgeError ? one.hint : undefined;
    one = one instanceof Error ? one.cause : undefined;
  } while (one !== undefined && lines.length <= 8);
  return [...new Set(lines)].join(': ') + (hint === undefined ? '' : ` (${hint})`);
}
