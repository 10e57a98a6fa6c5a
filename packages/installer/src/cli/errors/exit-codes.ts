import { SelvedgeError, isAbort } from '@selvedge/kit';
import { CommanderError } from 'commander';

/** What the program ends with. Documented in docs/reference/selvedge.md and in `--help`. */
export const exitCodes = {
  done: 0,
  failed: 1,
  wrongUsage: 2,
  /** check found errors, or a command refuses because of them. */
  refused: 3,
  /** Some nodes were put back. */
  partly: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The exit code of what was thrown. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUsage;
  if (isAbort(error)) return exitCodes.interrupted;
  if (!(error instanceof SelvedgeError)) return exitCodes.failed;
  if (error.details['findings'] !== undefined) return exitCodes.refused;
  return error.code === 'Invalid' ? exitCodes.wrongUsage : exitCodes.failed;
}
