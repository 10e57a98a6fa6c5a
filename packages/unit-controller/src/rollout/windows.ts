import type { MaintenanceWindow } from '@selvedge/api';
import { SelvedgeError, messageOf } from '@selvedge/kit';
import { type Moments, momentAfter, parseCron } from '../cron.ts';

interface Window {
  readonly openings: Moments;
  readonly durationMs: number;
}

/** The maintenance windows of a unit. None: always open. */
export type Windows = readonly Window[];

const minuteMs = 60_000;

function parseWindow({ cron, timeZone, durationMinutes }: MaintenanceWindow): Window {
  try {
    return { openings: parseCron(cron, timeZone), durationMs: durationMinutes * minuteMs };
  } catch (cause) {
    throw new SelvedgeError(`the maintenance window ${messageOf(cause)}`, { code: 'Invalid', cause });
  }
}

/**
 * Windows that open by cron, see `parseCron`, and stay open for a time that passes whatever clocks are set to. Throws
 * `Invalid`.
 */
export const parseWindows = (windows: readonly MaintenanceWindow[]): Windows => windows.map(parseWindow);

/** A window is open at its opening, and no more when its time is over. */
function isWindowOpen({ openings, durationMs }: Window, nowMs: number): boolean {
  const opening = momentAfter(openings, nowMs - durationMs);
  return opening !== undefined && opening <= nowMs;
}

/** Whether the unit may be changed now. Pure. */
export const isOpen = (windows: Windows, nowMs: number): boolean =>
  windows.length === 0 || windows.some((window) => isWindowOpen(window, nowMs));

/** When the unit may be changed next: `nowMs` while it may, undefined if never again (30 February). Pure. */
export function nextOpening(windows: Windows, nowMs: number): number | undefined {
  if (isOpen(windows, nowMs)) return nowMs;
  const openings = windows.flatMap(({ openings: moments }) => momentAfter(moments, nowMs) ?? []);
  return openings.length === 0 ? undefined : Math.min(...openings);
}
