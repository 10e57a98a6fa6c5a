import { type ErrorCode, SelvedgeError } from '@selvedge/kit';
import type { Host, HostResult } from './types.ts';

/** Of what a program said its end is shown. */
const maxSaid = 1_000;

/** Source: strerror(3): ENOSPC, EDQUOT, EFBIG. */
const fullDisk = /No space left on device|Disk quota exceeded|File too large/;

/** Why a program failed, as it said itself. */
export function saidBy({ exitCode, stderr }: HostResult): string {
  const said = stderr.toString().trim().slice(-maxSaid);
  return said === '' ? `exit code ${exitCode}` : said;
}

export interface FailedProgram {
  /** What could not be done: `cannot lock`, `systemctl stop edge-lite.service`. */
  readonly what: string;
  /** Default `Internal`. */
  readonly code?: ErrorCode;
  /** Default: the cause is to be mended on the machine. A disk that is full goes before it. */
  readonly hint?: string;
}

/** A program that failed on a machine: the machine is at fault, and a person can mend that. */
export function programFailed(
  { what, code = 'Internal', hint: given }: FailedProgram,
  { name }: Pick<Host, 'name'>,
  result: HostResult,
): SelvedgeError {
  const why = saidBy(result);
  const mend = given ?? `fix the cause on ${name}, then run the same command again`;
  const hint = fullDisk.test(why) ? 'free some space on the machine, then run the same command again' : mend;
  return new SelvedgeError(`${what} on ${name}: ${why}`, { code, hint });
}
