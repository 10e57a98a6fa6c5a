import type { SelvedgeError } from '@selvedge/kit';
import { callError } from './status.ts';

export interface Deadline {
  readonly path: string;
  /** On the monotonic clock. */
  readonly startedMs: number;
  readonly deadlineMs: number | undefined;
}

export function deadlineError({ path, deadlineMs }: Deadline, cause?: unknown): SelvedgeError {
  return callError(path, 'DEADLINE_EXCEEDED', { message: `no answer within ${deadlineMs} ms`, cause });
}

/**
 * `error`, unless the deadline has passed: a server that keeps it too may fail the call, in words of its own, before our
 * timer has had its turn.
 */
export function orDeadline(error: unknown, deadline: Deadline, nowMs: number): unknown {
  const { startedMs, deadlineMs } = deadline;
  const passed = deadlineMs !== undefined && nowMs - startedMs >= deadlineMs;
  return passed ? deadlineError(deadline, error) : error;
}
