import { readFileSync } from 'node:fs';
import { systemCode } from '@selvedge/kit';

/** The text of a file of the kernel; empty if it is not there. */
export type ReadText = (path: string) => string;

/** Gone while it was read, of a kind that this kernel lacks, or of a cgroup that just went. */
const absent: ReadonlySet<string | undefined> = new Set([
  'ENOENT',
  'ENODEV',
  'ESRCH',
  'EOPNOTSUPP',
  'EINVAL',
]);

/**
 * Files of cgroups and processes are in memory: read at once one takes 15 µs, by the thread pool eight times that, and there
 * are thousands. Callers let others run in between.
 */
export const readKernelText: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (absent.has(systemCode(error))) return '';
    throw error;
  }
};

export const processIds = (text: string): readonly number[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
