import type { UnitAppScaling } from '@selvedge/api';
import { messageOf } from '@selvedge/kit';
import { type Moments, momentAfter, momentUntil, parseCron } from '../cron.ts';

type Schedules = NonNullable<UnitAppScaling['schedules']>;

interface Entry {
  readonly name: string;
  readonly moments: Moments;
  readonly replicas: number;
}

/** `spec.scaling.schedules`, read. */
export type Timetable =
  | { readonly kind: 'usable'; readonly entries: readonly Entry[] }
  /** For people: which schedule cannot be used, and why. */
  | { readonly kind: 'unusable'; readonly why: string };

export interface ScheduledReplicas {
  readonly replicas: number;
  /** The schedule that says so. */
  readonly schedule: string;
  /** Since when. */
  readonly sinceMs: number;
}

/** Without schedules it is usable, and says nothing. Never throws. Pure. */
export function timetableOf(schedules: Schedules = []): Timetable {
  const entries: Entry[] = [];
  for (const { name, cron, timeZone, replicas } of schedules) {
    try {
      entries.push({ name, moments: parseCron(cron, timeZone), replicas });
    } catch (error) {
      return { kind: 'unusable', why: `the schedule ${name}: ${messageOf(error)}` };
    }
  }
  return { kind: 'usable', entries };
}

/**
 * What the latest moment of any schedule said; of several at the same moment, the last of the list. Undefined: none has
 * come yet, or the timetable is empty or unusable, and the template decides. Pure.
 */
export function scheduledReplicas(timetable: Timetable, nowMs: number): ScheduledReplicas | undefined {
  if (timetable.kind === 'unusable') return undefined;
  let latest: ScheduledReplicas | undefined;
  for (const { name, moments, replicas } of timetable.entries) {
    const sinceMs = momentUntil(moments, nowMs);
    if (sinceMs === undefined || sinceMs < (latest?.sinceMs ?? -Infinity)) continue;
    latest = { replicas, schedule: name, sinceMs };
  }
  return latest;
}

/** When to look again: the next moment of a schedule that says another number than holds now. Pure. */
export function nextScheduleChange(timetable: Timetable, nowMs: number): number | undefined {
  if (timetable.kind === 'unusable') return undefined;
  const { replicas: held } = scheduledReplicas(timetable, nowMs) ?? {};
  const moments = timetable.entries
    .filter(({ replicas }) => replicas !== held)
    .flatMap((entry) => momentAfter(entry.moments, nowMs) ?? []);
  return moments.length === 0 ? undefined : Math.min(...moments);
}
