import { hasCode } from '@selvedge/kit';

/**
 * The API server did not answer, or would not answer us: the node's own certificate is refused, it has too much to do, it
 * fails. None of that says anything of the one who is asked about.
 */
export const cannotAsk = (error: unknown): boolean =>
  hasCode(
    error,
    'Unavailable',
    'DeadlineExceeded',
    'Unauthenticated',
    'Forbidden',
    'ResourceExhausted',
    'Internal',
  );
