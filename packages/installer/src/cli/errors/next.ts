import type { ErrorCode } from '@selvedge/kit';

/** What helps mostly, where who found the error did not say better. */
const remedies: Readonly<Record<ErrorCode, string>> = {
  Invalid: 'compare what was given with `--help` of the command, or with docs/reference/selvedge.md',
  Unauthenticated: 'see that the credentials are of this cluster or machine and have not expired',
  Forbidden: 'see what you may do: kubectl auth can-i --list',
  NotFound: 'see that the name is right, and that this is the right cluster: --context',
  AlreadyExists: 'choose another name, or delete the one that is there',
  Conflict: 'somebody changed it at the same time: run the same command again',
  Gone: 'run the same command again',
  ResourceExhausted: 'run the same command again in a minute, or on fewer nodes at a time',
  Unsupported: 'see docs/reference/selvedge.md for what there is',
  Unavailable:
    'see that it can be reached from here, then run the same command again: it goes on where it was',
  DeadlineExceeded: 'run the same command again: it goes on where it was; --timeout gives it longer',
  Aborted: 'run the same command again: it goes on where it was',
  Corrupt: 'nothing is guessed from damaged data: docs/tasks/troubleshooting.md',
  Internal: 'this is a fault of selvedge: run `selvedge support-dump` and report it',
};

export const nextOf = (code: ErrorCode): string => remedies[code];
