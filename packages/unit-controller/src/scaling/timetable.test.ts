import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { nextScheduleChange, scheduledReplicas, timetableOf } from './timetable.ts';

const at = (text: string): number => Date.parse(text);
const schedule = (cron: string, replicas: number, timeZone = 'Europe/Berlin') => ({
  name: `to-${replicas}`,
  cron,
  replicas,
  timeZone,
});

/** A shop that opens at eight and closes at ten in the evening, on Sundays not at all. */
const shop = timetableOf([schedule('0 8 * * MON-SAT', 4), schedule('0 22 * * *', 1)]);

describe('a timetable', () => {
  test.each([
    ['2026-05-04T05:59:59.999Z', 1],
    ['2026-05-04T06:00:00Z', 4],
    ['2026-05-04T06:00:00.500Z', 4],
    ['2026-05-04T19:59:59Z', 4],
    ['2026-05-04T20:00:00Z', 1],
    // A Sunday: what the Saturday's evening said still holds.
    ['2026-05-03T12:00:00Z', 1],
  ])('at %s says %i by the last moment before', (moment, replicas) => {
    expect(scheduledReplicas(shop, at(moment))?.replicas).toBe(replicas);
  });

  test('says since when, and by which schedule', () => {
    expect(scheduledReplicas(shop, at('2026-05-03T12:00:00Z'))).toEqual({
      replicas: 1,
      schedule: 'to-1',
      sinceMs: at('2026-05-02T20:00:00Z'),
    });
  });

  test('changes at the next moment with another number, not at one that says the same', () => {
    expect(nextScheduleChange(shop, at('2026-05-02T20:00:00Z'))).toBe(at('2026-05-04T06:00:00Z'));
    expect(nextScheduleChange(shop, at('2026-05-04T06:00:00Z'))).toBe(at('2026-05-04T20:00:00Z'));
    expect(nextScheduleChange(timetableOf([schedule('* * * * *', 2)]), at('2026-05-04T06:00:00Z'))).toBe(
      undefined,
    );
  });

  test('of two at one moment goes by the last', () => {
    const both = timetableOf([schedule('0 8 * * *', 4), schedule('0 8 * * MON', 6)]);
    expect(scheduledReplicas(both, at('2026-05-04T07:00:00Z'))?.replicas).toBe(6);
    expect(scheduledReplicas(both, at('2026-05-05T07:00:00Z'))?.replicas).toBe(4);
  });

  test('may ask for none, and reaches back for years', () => {
    const rare = timetableOf([schedule('0 0 29 2 *', 0, 'UTC')]);
    expect(scheduledReplicas(rare, at('2028-02-28T00:00:00Z'))).toMatchObject({
      replicas: 0,
      sinceMs: at('2024-02-29T00:00:00Z'),
    });
    expect(nextScheduleChange(rare, at('2025-01-01T00:00:00Z'))).toBe(undefined);
  });

  test.each([
    ['has no schedules', undefined],
    ['names a day that never comes', [schedule('0 0 30 2 *', 3)]],
  ])('says nothing where it %s', (_, schedules) => {
    const none = timetableOf(schedules);
    expect(none.kind).toBe('usable');
    expect(scheduledReplicas(none, at('2026-05-04T06:00:00Z'))).toBe(undefined);
    expect(nextScheduleChange(none, at('2026-05-04T06:00:00Z'))).toBe(undefined);
  });

  test.each([
    ['0 24 * * *', 'UTC'],
    ['0 0 * * FUN', 'UTC'],
    ['0 0 0 * * *', 'UTC'],
    ['0 8 * * *', 'Mars/Olympus'],
  ])('with %s in %s cannot be used, and says why', (cron, timeZone) => {
    const broken = timetableOf([schedule('0 8 * * *', 4), schedule(cron, 1, timeZone)]);
    expect(broken).toEqual({
      kind: 'unusable',
      why: expect.stringContaining(`the schedule to-1: ${cron} in ${timeZone} cannot be used: `),
    });
    expect(scheduledReplicas(broken, 0)).toBe(undefined);
    expect(nextScheduleChange(broken, 0)).toBe(undefined);
  });
});

describe('where clocks are put', () => {
  const night = timetableOf([schedule('30 2 * * *', 2), schedule('15 3 * * *', 5)]);

  test.each([
    // 02:30 is in the gap: it comes at 03:00, right after it.
    ['2026-03-29T00:59:59Z', 5, '2026-03-28T02:15:00Z'],
    ['2026-03-29T01:00:00Z', 2, '2026-03-29T01:00:00Z'],
    ['2026-03-29T01:15:00Z', 5, '2026-03-29T01:15:00Z'],
    ['2026-03-30T00:30:00Z', 2, '2026-03-30T00:30:00Z'],
  ])('forward, at %s says %i', (moment, replicas, since) => {
    expect(scheduledReplicas(night, at(moment))).toMatchObject({ replicas, sinceMs: at(since) });
  });

  test.each([
    ['2026-10-25T00:29:59Z', 5, '2026-10-24T01:15:00Z'],
    // 02:30 is there twice: the first one counts.
    ['2026-10-25T00:30:00Z', 2, '2026-10-25T00:30:00Z'],
    ['2026-10-25T01:30:00Z', 2, '2026-10-25T00:30:00Z'],
    ['2026-10-25T02:15:00Z', 5, '2026-10-25T02:15:00Z'],
  ])('back, at %s says %i', (moment, replicas, since) => {
    expect(scheduledReplicas(night, at(moment))).toMatchObject({ replicas, sinceMs: at(since) });
  });
});

const minute = 60_000;
const patterns = fc.oneof(
  fc.tuple(fc.nat(59), fc.nat(23)).map(([m, h]) => `${m} ${h} * * *`),
  fc.nat(59).map((m) => `${m} */3 * * *`),
  fc.tuple(fc.nat(59), fc.nat(3)).map(([m, h]) => `${m} ${h} * * SUN`),
);
const tables = fc
  .array(patterns, { minLength: 1, maxLength: 4 })
  .map((all) => timetableOf(all.map((cron, place) => schedule(cron, place))));
/** Around both changes of the clocks in 2026. */
const moments = fc
  .tuple(
    fc.constantFrom('2026-03-29T01:00:00Z', '2026-10-25T01:00:00Z'),
    fc.integer({ min: -1_000, max: 1_000 }),
  )
  .map(([change, offset]) => at(change) + offset * minute);

property.prop([tables, moments], { numRuns: 100 })(
  'holds until its next change, and says another number from then on',
  (table, now) => {
    const next = nextScheduleChange(table, now);
    if (next === undefined) return;
    const { replicas, sinceMs } = scheduledReplicas(table, now) ?? {};
    expect(sinceMs).toBeLessThanOrEqual(now);
    expect(next).toBeGreaterThan(now);
    expect(scheduledReplicas(table, next - 1)?.replicas).toBe(replicas);
    // Of two at one moment the last of the list may say what held before.
    expect(scheduledReplicas(table, next)?.sinceMs).toBe(next);
  },
);
