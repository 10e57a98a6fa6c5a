import { type ErrorCode, SelvedgeError } from '@selvedge/kit';

/** What reaches the top of the program, as systemd sees it. See `usage` for the list. */
const codes: Partial<Readonly<Record<ErrorCode, number>>> = {
  Invalid: 2,
  Unauthenticated: 3,
  Forbidden: 3,
  AlreadyExists: 3,
  Corrupt: 4,
};

export function exitCodeOf(error: unknown): number {
  return error instanceof SelvedgeError ? (codes[error.code] ?? 1) : 1;
}
