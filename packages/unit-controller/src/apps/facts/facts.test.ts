import { describe, expect, test } from 'vitest';
import { unitNamed } from '../../testing.ts';
import { isConnected, isCutInPart } from './link.ts';
import { Openings } from './openings.ts';
import { Refusals } from './refusals.ts';

const at = (text: string): number => Date.parse(text);

describe('a unit', () => {
  const unitWith = (...states: readonly ('Connected' | 'Vouched' | 'Autonomous' | undefined)[]) => ({
    ...unitNamed('shop-1'),
    status: { members: states.map((state, place) => ({ name: `n${place}`, ...(state && { state }) })) },
  });

  test('is cut in part when one of its nodes has no link', () => {
    expect(isCutInPart(unitWith('Connected', 'Connected'))).toBe(false);
    expect(isCutInPart(unitWith('Connected', 'Vouched'))).toBe(true);
  });

  test('has a link when one of its nodes has', () => {
    expect([
      isConnected(unitWith('Vouched', 'Connected')),
      isConnected(unitWith('Autonomous')),
      isConnected(unitWith(undefined)),
      isConnected(unitNamed('shop-1')),
    ]).toEqual([true, false, false, false]);
  });

  test('may be changed in its windows, always without any, never where they cannot be read', () => {
    const openings = new Openings();
    const noon = at('2026-05-04T12:00:00Z');
    const opening = (cron: string) =>
      openings.of(unitNamed('shop-1', { maintenanceWindows: [{ cron, durationMinutes: 60 }] }), noon);
    expect(openings.of(unitNamed('shop-1'), noon)).toEqual({ kind: 'opens', atMs: noon });
    expect(opening('0 2 * * *')).toEqual({ kind: 'opens', atMs: at('2026-05-05T02:00:00Z') });
    expect(opening('30 11 * * *')).toEqual({ kind: 'opens', atMs: noon });
    expect(opening('0 25 * * *')).toMatchObject({ kind: 'unreadable', why: expect.stringContaining('0 25') });
  });
});

test('a refusal is news once, and is forgotten when it is over', () => {
  const refusals = new Refusals();
  const unit = { app: 'shops/till', unit: 'shop-1' };
  expect(refusals.add(unit, { revision: 1, why: 'a' }, 0)).toBe(true);
  expect(refusals.add(unit, { revision: 1, why: 'a' }, 90_000)).toBe(false);
  expect(refusals.get('shops/till', 'shop-1')).toMatchObject({ revision: 1, why: 'a' });
  expect(refusals.add(unit, { revision: 1, why: 'b' }, 90_000)).toBe(true);
  refusals.clear('shops/till', 'shop-1');
  expect(refusals.get('shops/till', 'shop-1')).toBeUndefined();
});

test('what is refused again and again is tried less and less, what is refused anew soon', () => {
  const refusals = new Refusals();
  const waits = (refused: { readonly revision: number; readonly why: string }): number => {
    refusals.add({ app: 'shops/till', unit: 'shop-1' }, refused, 0);
    return (refusals.get('shops/till', 'shop-1')?.untilMs ?? 0) / 60_000;
  };
  const refused = { revision: 1, why: 'a'.repeat(9_000) };
  expect(Array.from({ length: 7 }, () => waits(refused))).toEqual([1, 2, 4, 8, 16, 30, 30]);
  expect(refusals.get('shops/till', 'shop-1')?.why).toHaveLength(1_024);
  expect([waits({ revision: 2, why: refused.why }), waits({ revision: 2, why: 'b' })]).toEqual([1, 1]);
});
