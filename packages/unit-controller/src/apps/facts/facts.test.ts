import { describe, expect, test } from 'vitest';
import { unitNamed } from '../../testing.ts';
import { isConnected } from './link.ts';
import { Openings } from './openings.ts';
import { Refusals } from './refusals.ts';

const at = (text: string): number => Date.parse(text);

describe('a unit', () => {
  test('has a link when one of its nodes has', () => {
    const unitWith = (...states: readonly ('Connected' | 'Vouched' | 'Autonomous' | undefined)[]) => ({
      ...unitNamed('shop-1'),
      status: { members: states.map((state, place) => ({ name: `n${place}`, ...(state && { state }) })) },
    });
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
  expect(refusals.get('shops/till', 'shop-1')).toEqual({ revision: 1, why: 'a', untilMs: 150_000 });
  expect(refusals.add(unit, { revision: 1, why: 'b' }, 90_000)).toBe(true);
  refusals.clear('shops/till', 'shop-1');
  expect(refusals.get('shops/till', 'shop-1')).toBeUndefined();
});
