import { describe, expect, test } from 'vitest';
import { type StatusFacts, rolloutStatusOf } from './rollout-status.ts';
import { cloneOf } from './testing.ts';
import type { UnitInRollout } from './steps.ts';
import type { UnitBefore, UnitState } from './unit-state.ts';

const nowMs = Date.parse('2026-05-04T00:00:00Z');
const now = '2026-05-04T00:00:00Z';

function unitOf(name: string, state: UnitState, more: Partial<UnitInRollout> = {}): UnitInRollout {
  const isConnected = state.kind !== 'offline';
  const facts = { name, labels: {}, isConnected, opensMs: nowMs, clone: cloneOf(2) };
  return { name, place: 0, state, facts, isGood: true, isMeasured: false, wasHealthy: false, ...more };
}

const factsOf = (
  units: readonly UnitInRollout[],
  before: Readonly<Record<string, UnitBefore>> = {},
): StatusFacts => ({
  app: 'till',
  position: { state: 'Progressing', revision: 2, wave: 'one', sinceMs: nowMs, message: '' },
  units,
  remembered: ({ name }) => before[name],
  nowMs,
});

const without = { facts: { name: 'new', labels: {}, isConnected: true, opensMs: nowMs }, isGood: false };

describe('the status', () => {
  test('says where the rollout is and what each unit has', () => {
    const units = [
      unitOf('shop-2', { kind: 'healthy' }),
      unitOf('shop-1', { kind: 'updating', why: '1 of 2 pods available' }, { isGood: false }),
      unitOf('new', { kind: 'waiting', for: 'window' }, without),
    ];
    const shop = { replicas: 2, available: 2, since: now, revision: 2 };
    expect(rolloutStatusOf(factsOf(units), 1)).toEqual({
      currentRevision: 1,
      updateRevision: 2,
      rollout: { state: 'Progressing', revision: 2, wave: 'one', since: now },
      totals: {
        units: 3,
        updated: 2,
        healthy: 1,
        waiting: 1,
        updating: 1,
        unhealthy: 0,
        failed: 0,
        offline: 0,
      },
      units: [
        { name: 'new', state: 'Waiting', since: now, message: 'until its maintenance window opens' },
        {
          name: 'shop-1',
          workload: 'till-shop-1',
          ...shop,
          state: 'Updating',
          message: '1 of 2 pods available',
        },
        { name: 'shop-2', workload: 'till-shop-2', ...shop, state: 'Healthy', healthyRevision: 2 },
      ],
    });
  });

  test.each([
    ['skipped', 'waiting'],
    ['waiting', 'waiting'],
    ['updating', 'updating'],
    ['unhealthy', 'unhealthy'],
    ['ailing', 'unhealthy'],
    ['failed', 'failed'],
    ['offline', 'offline'],
  ] as const)('counts what is %s as %s, and as healthy only what has a link', (kind, total) => {
    const state = { kind, why: '', for: 'turn' } as UnitState;
    const { totals } = rolloutStatusOf(factsOf([unitOf('shop-1', state)]), 1);
    const none = { waiting: 0, updating: 0, unhealthy: 0, failed: 0, offline: 0 };
    const healthy = kind === 'offline' ? 0 : 1;
    expect(totals).toEqual({ units: 1, updated: 1, healthy, ...none, [total]: 1 });
  });

  test('remembers since when, and the last revision that was healthy', () => {
    const before: UnitBefore = {
      state: 'Offline',
      revision: 2,
      since: '2026-05-01T00:00:00Z',
      healthyRevision: 1,
    };
    const shownWith = (state: UnitState, more: Partial<UnitInRollout> = {}) =>
      rolloutStatusOf(factsOf([unitOf('shop-1', state, more)], { 'shop-1': before }), 1).units?.[0];
    const { since } = before;
    expect(shownWith({ kind: 'offline' })).toMatchObject({ since, healthyRevision: 1 });
    expect(shownWith({ kind: 'healthy' })).toMatchObject({ since: now, healthyRevision: 2 });
    const why = { kind: 'updating', why: '' } as const;
    expect(shownWith(why)).toMatchObject({ since: now, healthyRevision: 1 });
    expect(shownWith(why, { wasHealthy: true })).toMatchObject({ healthyRevision: 2 });
    const other = { facts: { ...unitOf('shop-1', why).facts, clone: cloneOf(3) } };
    expect(shownWith({ kind: 'offline' }, other)).toMatchObject({ since: now, revision: 3 });
  });

  test('of texts says what fits', () => {
    const why = 'x'.repeat(5_000);
    const facts = factsOf([unitOf('shop-1', { kind: 'failed', why })]);
    const position = { ...facts.position, message: why };
    const status = rolloutStatusOf({ ...facts, position }, 1);
    expect(status.units?.[0]?.message).toHaveLength(256);
    expect(status.rollout?.message).toHaveLength(1_024);
  });

  test('of more units than fit shows those that need attention, the longest first, and counts all', () => {
    const kinds = ['healthy', 'waiting', 'offline', 'updating', 'unhealthy', 'failed'] as const;
    const units = Array.from({ length: 1_100 }, (_, number) => {
      const state: UnitState = { kind: kinds[number % 6] ?? 'healthy', why: '', for: 'turn' };
      return unitOf(`shop-${String(number).padStart(4, '0')}`, state);
    });
    // All but one of those that are healthy became so now.
    const early: UnitBefore = { state: 'Healthy', revision: 2, since: '2026-05-01T00:00:00Z' };
    const last = 'shop-1098';
    const status = rolloutStatusOf(factsOf(units, { [last]: early }), 1);
    const names = status.units?.map(({ name }) => name) ?? [];
    expect([names.length, status.totals?.units, status.totals?.healthy]).toEqual([1_000, 1_100, 917]);
    expect(names).toEqual(names.toSorted());
    expect(names).toContain(last);
    expect(status.units?.filter(({ state }) => state !== 'Healthy')).toHaveLength(916);
  });
});
