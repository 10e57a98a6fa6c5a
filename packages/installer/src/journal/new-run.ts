import type { Random } from '@selvedge/kit';

/** Eight hexadecimal digits that nobody else has, most probably. */
export function newRun(random: Random): string {
  return Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}
