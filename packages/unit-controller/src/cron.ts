import { SelvedgeError, messageOf } from '@selvedge/kit';
import { Cron } from 'croner';

/** Moments on the clock of a time zone. */
export type Moments = Cron;

const secondMs = 1_000;

/**
 * Cron in five fields (lists, ranges, steps, names; either day fits when both are given) on the clock of an IANA time
 * zone. When clocks are put forward, a moment whose hours and minutes are all named comes right after the gap, those with a
 * wildcard or a step are skipped; when they are put back, the former comes once, at the first of the two, the latter at
 * both. Throws `Invalid`. Source: crontab(5).
 */
export function parseCron(pattern: string, timeZone = 'UTC'): Moments {
  try {
    const cron = new Cron(pattern, { mode: '5-part', timezone: timeZone, fixedTimeRule: 'no-wildcard' });
    // The time zone is looked at with the first date only.
    cron.nextRun(new Date(0));
    return cron;
  } catch (error) {
    const message = `${pattern} in ${timeZone} cannot be used: ${messageOf(error)}`;
    throw new SelvedgeError(message, { code: 'Invalid', cause: error });
  }
}

/** The first one later than this; undefined: there is none (30 February). Pure. */
export const momentAfter = (moments: Moments, ms: number): number | undefined =>
  moments.nextRun(new Date(ms))?.getTime();

/** The last one that is not later than this; undefined: there was none. Pure. */
export function momentUntil(moments: Moments, ms: number): number | undefined {
  const nextSecond = (Math.floor(ms / secondMs) + 1) * secondMs;
  return moments.previousRuns(1, new Date(nextSecond))[0]?.getTime();
}
