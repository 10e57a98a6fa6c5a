import { SelvedgeError, hasCode } from '@selvedge/kit';

/**
 * What became of an attempt to connect to a server: `refused` by the server itself, which has said so; by the `proxy` on the
 * way; `late`, no answer in time; `protocol`, no version in common; `failed`, anything else.
 */
export type ConnectOutcome = 'opened' | 'refused' | 'proxy' | 'late' | 'protocol' | 'failed';

/** What a failure to connect counts as. The proxy's word is behind that of the dial. */
export function outcomeOf(error: Error): Exclude<ConnectOutcome, 'opened'> {
  if (hasCode(error, 'DeadlineExceeded')) return 'late';
  if (hasCode(error, 'Unsupported')) return 'protocol';
  if (!(error instanceof SelvedgeError)) return 'failed';
  if (error.details['goaway'] !== undefined) return 'refused';
  const { cause = error } = error;
  const byProxy = cause instanceof SelvedgeError && cause.details['proxyStatus'] !== undefined;
  return byProxy ? 'proxy' : 'failed';
}
