import type { ErrorCode } from '@selvedge/kit';

/** What helps mostly, where who found the error did not say better. */
const remedies: Readonly<Record<ErrorCode, string>> = {
  Invalid: 'see the --help of the command, or docs/reference/selvedge.md',
  Unauthenticated: 'check that the credentials are for this cluster or machine and have not expired',
  Forbidden: 'check your permissions: kubectl auth can-i --list',
  NotFound: 'check the name, and with --context that this is the right cluster',
  AlreadyExists: 'choose another name, or delete the existing one',
  Conflict: 'it was modified concurrently: run the same command again',
  Gone: 'run the same command again',
  ResourceExhausted: 'run the same command again in a minute, or with fewer nodes at a time',
  Unsupported: 'docs/reference/selvedge.md lists what is supported',
  Unavailable:
    'check that it is reachable from here, then run the same command again; it resumes where it stopped',
  DeadlineExceeded:
    'run the same command again, with a longer --timeout if needed; it resumes where it stopped',
  Aborted: 'run the same command again; it resumes where it stopped',
  Corrupt: 'damaged data is not used; see docs/tasks/troubleshooting.md',
  Internal: 'this is a bug in selvedge: report it with the output of `selvedge support-dump`',
};

export const nextOf = (code: ErrorCode): string => remedies[code];
