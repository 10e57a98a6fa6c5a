import { type ErrorCode, SelvedgeError, hasCode, messageOf } from './errors.ts';

/** Tells a program's exit code by where its error arose. */
export interface ExitCodes<O extends string> {
  /**
   * Does `work` and marks the error it ends with as one of `origin`; with `codes` only an error of these. What is not
   * marked exits with 1: the same code means other things elsewhere.
   */
  readonly originating: <T>(
    origin: O,
    work: () => T | Promise<T>,
    codes?: readonly ErrorCode[],
  ) => Promise<T>;
  readonly exitCodeOf: (error: unknown) => number;
}

function marked(origin: string, cause: unknown): SelvedgeError {
  const known = cause instanceof SelvedgeError ? cause : undefined;
  const hint = known?.hint === undefined ? {} : { hint: known.hint };
  const details = { ...known?.details, origin };
  return new SelvedgeError(messageOf(cause), { code: known?.code ?? 'Internal', cause, details, ...hint });
}

/** `codes`: the exit code of each origin. Pure. */
export function createExitCodes<O extends string>(codes: Readonly<Record<O, number>>): ExitCodes<O> {
  return {
    async originating(origin, work, only) {
      try {
        return await work();
      } catch (error) {
        throw only === undefined || hasCode(error, ...only) ? marked(origin, error) : error;
      }
    },
    exitCodeOf(error) {
      const origin = error instanceof SelvedgeError ? error.details['origin'] : undefined;
      return Object.entries<number>(codes).find(([name]) => name === origin)?.[1] ?? 1;
    },
  };
}
