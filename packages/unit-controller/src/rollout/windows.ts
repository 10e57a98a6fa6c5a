import type { MaintenanceWindow } from '@selvedge/api';
import { SelvedgeError, messageOf } from '@selvedge/kit';
import { Cron } from 'croner';

interface Window {
  readonly cron: Cron;
  readonly durationMs: number;
}

/** The maintenance windows of a unit. None: always open. */
export type Windows = readonly Window[];

const minuteMs = 60_000;

function parseWindow({ cron: pattern, timeZone = 'UTC', durationMinutes }: MaintenanceWindow): Window {
  try {
    const cron = new Cron(pattern, { mode: '5-part', timezone: timeZone, fixedTimeRule: 'no-wildcard' });
    // The time zone is looked at with the first date only.
    cron.nextRun(new Date(0));
    return { cron, durationMs: durationMinutes * minuteMs };
  } catch (error) {
    const message = `the maintenance window ${pattern} in ${timeZone} cannot be used: ${messageOf(error)}`;
    throw new SelvedgeError(message, { code: 'Invalid', cause: error });
  }
}

/**
 * Windows that open by cron in five fields (lists, ranges, steps, names; either day fits when both are given) on the clock
 * of an IANA time zone and stay open for a time that passes whatever clocks are set to. When clocks are put forward, a
 * window whose hours and minutes are all named opens right after the gap, one with a wildcard or a step skips it; when they
 * are put back, the former opens once, at the first of the two, the latter at both. Throws `Invalid`. Source: crontab(5).
 */
export const parseWindows = (windows: readonly MaintenanceWindow[]): Windows => windows.map(parseWindow);

const openingAfter = ({ cron }: Window, ms: number): number | undefined =>
  cron.nextRun(new Date(ms))?.getTime();

/** A window is open at its opening, and no more when its time is over. */
function isWindowOpen(window: Window, nowMs: number): boolean {
  const opening = openingAfter(window, nowMs - window.durationMs);
  return opening !== undefined && opening <= nowMs;
}

/** Whether the unit may be changed now. Pure. */
export const isOpen = (windows: Windows, nowMs: number): boolean =>
  windows.length === 0 || windows.some((window) => isWindowOpen(window, nowMs));

/** When the unit may be changed next: `nowMs` while it may, undefined if never again (30 February). Pure. */
export function nextOpening(windows: Windows, nowMs: number): number | undefined {
  if (isOpen(windows, nowMs)) return nowMs;
  const openings = windows.flatMap((window) => openingAfter(window, nowMs) ?? []);
  return openings.length === 0 ? undefined : Math.min(...openings);
}
