import { type ErrorCode, SelvedgeError, hasCode, messageOf } from '@selvedge/kit';

/** The exit code of what failed, as systemd sees it. See `usage` for the list. */
const exitCodes = { config: 2, identity: 3, store: 4 } as const;

/** Where an error arose. */
export type Origin = keyof typeof exitCodes;

/** The answers to a join that stay the same until a person does something. */
export const refusals: readonly ErrorCode[] = ['Invalid', 'Unauthenticated', 'Forbidden', 'AlreadyExists'];

function marked(origin: Origin, cause: unknown): SelvedgeError {
  const known = cause instanceof SelvedgeError ? cause : undefined;
  const hint = known?.hint === undefined ? {} : { hint: known.hint };
  const details = { ...known?.details, origin };
  return new SelvedgeError(messageOf(cause), { code: known?.code ?? 'Internal', cause, details, ...hint });
}

/**
 * Does `work` and marks the error it ends with as one of `origin`; with `codes` only an error of these. What is not
 * marked exits with 1: the same code means other things elsewhere.
 */
export async function originating<T>(
  origin: Origin,
  work: () => T | Promise<T>,
  codes?: readonly ErrorCode[],
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw codes === undefined || hasCode(error, ...codes) ? marked(origin, error) : error;
  }
}

export function exitCodeOf(error: unknown): number {
  const origin = error instanceof SelvedgeError ? error.details['origin'] : undefined;
  return Object.entries(exitCodes).find(([name]) => name === origin)?.[1] ?? 1;
}
