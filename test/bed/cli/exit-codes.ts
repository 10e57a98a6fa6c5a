import { type ErrorCode, SelvedgeError } from '@selvedge/kit';

/** 0 done, 1 other, 2 wrong usage, 3 not there, 4 not in time; `kubectl` and `shell` end with their program's own. */
const codes: Partial<Record<ErrorCode, number>> = {
  Invalid: 2,
  AlreadyExists: 2,
  Conflict: 2,
  Unsupported: 2,
  NotFound: 3,
  DeadlineExceeded: 4,
};

export function exitCodeOf(error: unknown): number {
  return error instanceof SelvedgeError ? (codes[error.code] ?? 1) : 1;
}
