import { SelvedgeError } from '@selvedge/kit';
import { callError } from './status.ts';

export interface Deadline {
  readonly path: string;
  /** On the monotonic clock. */
  readonly startedMs: number;
  readonly deadlineMs: number | undefined;
}

export function deadlineError({ path, deadlineMs }: Deadline): SelvedgeError {
  return callError(path, 'DEADLINE_EXCEEDED', { message: `no answer within ${deadlineMs} ms` });
}

/**
 * `error`, unless it is that the server cancelled the call once its deadline had passed: a server that keeps the
 * deadline too may reset the stream before our own timer has had its turn.
 */
export function orDeadline(error: unknown, deadline: Deadline, nowMs: number): unknown {
  const { startedMs, deadlineMs } = deadline;
  if (deadlineMs === undefined || nowMs - startedMs < deadlineMs) return error;
  const cancelled = error instanceof SelvedgeError && error.details['grpcStatus'] === 'CANCELLED';
  return cancelled ? deadlineError(deadline) : error;
}
