import type { UnitAppRollout } from '@selvedge/api';
import { describe, expect, test } from 'vitest';
import type { Position } from './position.ts';
import { type StepsFacts, type UnitInRollout, budgetOf, stepsIn } from './steps.ts';
import { cloneOf } from './testing.ts';
import type { UnitState } from './unit-state.ts';

const nowMs = 1_000_000;
const rollout: UnitAppRollout = { maxUnavailableUnits: '100%' };

interface Shown {
  readonly kind?: UnitState['kind'];
  /** Undefined: it has no clone. */
  readonly revision?: number | undefined;
  readonly isGood?: boolean;
  readonly place?: number;
  readonly opensMs?: number | undefined;
}

function unitOf(name: string, shown: Shown = {}): UnitInRollout {
  const { kind = 'waiting', isGood = true, place = 0 } = shown;
  const opensMs = 'opensMs' in shown ? shown.opensMs : nowMs;
  const revision = 'revision' in shown ? shown.revision : 1;
  const state = { kind, why: '', for: 'turn' } as UnitState;
  const clone = revision === undefined ? undefined : cloneOf(revision);
  const facts = { name, labels: {}, isConnected: kind !== 'offline', opensMs, clone };
  return { name, place, state, isGood, facts, wasHealthy: false, isMeasured: false };
}

const factsOf = (
  units: Readonly<Record<string, Shown>>,
  { state = 'Progressing', wave = 'one', ...change }: Partial<StepsFacts> & Partial<Position> = {},
): StepsFacts => ({
  position: { state, revision: 2, wave, sinceMs: 0, message: '' },
  current: 1,
  rollout,
  waves: ['one', 'Others'],
  units: Object.entries(units).map(([name, shown]) => unitOf(name, shown)),
  nowMs,
  ...change,
});

/** `shop-1 2`: the unit is brought to the second revision. */
const steps = (...args: Parameters<typeof factsOf>): readonly string[] =>
  stepsIn(factsOf(...args)).map(({ unit, revision }) => `${unit} ${revision}`);

describe('the budget', () => {
  test.each([
    [undefined, 11, 2],
    [undefined, 10, 1],
    ['50%', 5, 3],
    ['100%', 7, 7],
    [3, 100, 3],
    ['10%', 0, 0],
  ] as const)('%s of %i units is %i', (maxUnavailableUnits, units, expected) => {
    const given = maxUnavailableUnits === undefined ? {} : { maxUnavailableUnits };
    expect(budgetOf(given, units)).toBe(expected);
  });

  const waiting = { 'shop-1': {}, 'shop-2': {}, 'shop-3': {} };

  test.each([
    ['updating', { kind: 'updating', revision: 2, isGood: false }],
    ['unhealthy', { kind: 'unhealthy', revision: 2, isGood: false }],
  ] as const)('is used by a unit that is %s', (_, other) => {
    const two = { rollout: { maxUnavailableUnits: 2 } };
    expect(steps({ ...waiting, other }, two)).toEqual(['shop-1 2']);
    expect(steps({ ...waiting, other }, { rollout: { maxUnavailableUnits: 1 } })).toEqual([]);
  });

  test.each([
    ['healthy', { kind: 'healthy', revision: 2 }],
    ['ailing with what all had', { kind: 'ailing', revision: 1, isGood: false }],
    ['failed', { kind: 'failed', revision: 2, isGood: false }],
    ['offline', { kind: 'offline', isGood: false }],
    ['offline in the middle of it', { kind: 'offline', revision: 2, isGood: false }],
    ['skipped', { kind: 'skipped', isGood: false }],
    ['waiting, and broken by what it had before', { isGood: false, place: 1 }],
    ['waiting, without any clone', { revision: undefined, isGood: false, opensMs: undefined }],
    ['waiting, and good with another revision', { revision: 3, place: 1 }],
    ['waiting for its turn, and broken by another revision', { revision: 3, isGood: false, place: 1 }],
    ['waiting for its window, and broken by another', { revision: 3, isGood: false, opensMs: nowMs + 1 }],
  ] as const)('is not used by a unit that is %s', (_, other) => {
    const two = { rollout: { maxUnavailableUnits: 2, maxFailedUnits: 1 } };
    expect(steps({ ...waiting, other }, two)).toEqual(['shop-1 2', 'shop-2 2']);
  });

  test('is not asked for a unit that does not work anyway', () => {
    const units = { 'shop-1': {}, broken: { revision: 3, isGood: false }, 'shop-2': {} };
    expect(steps(units, { rollout: { maxUnavailableUnits: 1 } })).toEqual(['broken 2']);
    expect(steps(units, { rollout: { maxUnavailableUnits: 2 } })).toEqual(['broken 2', 'shop-1 2']);
  });

  test('is asked for one that does not work with what it had before', () => {
    const units = { 'shop-1': { isGood: false }, 'shop-2': { isGood: false } };
    expect(steps(units, { rollout: { maxUnavailableUnits: 1 } })).toEqual(['shop-1 2']);
  });
});

describe('a turn', () => {
  const units = { late: { place: 1 }, 'shop-2': {}, 'shop-1': {} };

  test.each(['Progressing', 'Baking'] as const)('in what is %s comes wave by wave', (state) => {
    expect(steps(units, { state })).toEqual(['shop-2 2', 'shop-1 2']);
    expect(steps(units, { state, wave: 'Others' })).toEqual(['shop-2 2', 'shop-1 2', 'late 2']);
  });

  test.each(['Progressing', 'Baking', 'Done'] as const)('in what is %s waits for the window', (state) => {
    const closed = { later: { opensMs: nowMs + 1 }, never: { opensMs: undefined }, now: { opensMs: nowMs } };
    expect(steps(closed, { state })).toEqual(['now 2']);
  });

  test.each(['RollingBack', 'RolledBack'] as const)(
    'in what is %s waits for the window where the pods work',
    (state) => {
      const closed = { opensMs: nowMs + 1, revision: 2 };
      const back = { good: closed, broken: { ...closed, isGood: false }, open: { revision: 2, place: 1 } };
      expect(steps(back, { state })).toEqual(['broken 1', 'open 1']);
      const none = { ...closed, revision: undefined, isGood: false };
      expect(steps({ none, open: { revision: undefined } }, { state })).toEqual(['open 1']);
    },
  );

  test('in what is taken back comes though units have failed', () => {
    const back = { failed: { kind: 'failed', isGood: false }, late: { revision: 2 } } as const;
    for (const state of ['RollingBack', 'RolledBack'] as const) {
      expect(steps(back, { state })).toEqual(['late 1']);
    }
  });

  test('in what is done comes to those that are late, unless others of them have failed', () => {
    const late = { failed: { kind: 'failed', revision: 2, isGood: false }, late: { place: 1 } } as const;
    const done = { state: 'Done', current: 2 } as const;
    expect(steps({ late: late.late }, done)).toEqual(['late 2']);
    expect(steps(late, done)).toEqual([]);
    expect(steps(late, { ...done, rollout: { ...rollout, maxFailedUnits: 1 } })).toEqual(['late 2']);
  });

  test.each(['Paused', 'Stopped'] as const)('is nobody’s in what is %s', (state) => {
    expect(steps(units, { state })).toEqual([]);
  });

  test.each(['Progressing', 'Baking', 'Done', 'RollingBack', 'RolledBack', 'Stopped', 'Paused'] as const)(
    'is nobody’s in what is %s and to be paused, new units included',
    (state) => {
      const all = { ...units, new: { revision: undefined }, broken: { revision: 2, isGood: false } };
      expect(steps(all, { state, rollout: { ...rollout, pause: true } })).toEqual([]);
    },
  );

  test.each(['healthy', 'ailing', 'updating', 'unhealthy', 'failed', 'offline', 'skipped', 'stuck'] as const)(
    'is not that of a unit that is %s',
    (kind) => {
      const rest = { rollout: { ...rollout, maxFailedUnits: 9 } };
      for (const state of ['Progressing', 'RollingBack', 'Done'] as const) {
        expect(steps({ other: { kind, revision: 2, isGood: false } }, { state, ...rest })).toEqual([]);
      }
    },
  );
});

describe('a new unit', () => {
  const fresh = { revision: undefined, isGood: false, place: 1 };

  test.each(['Progressing', 'Baking', 'Stopped'] as const)('in what is %s gets what all have', (state) => {
    const closed = { ...fresh, opensMs: nowMs + 1 };
    expect(steps({ 'shop-1': fresh, closed }, { state })).toEqual(['shop-1 1']);
  });

  test('gets nothing where there was nothing before', () => {
    expect(steps({ fresh }, { state: 'Stopped', current: 0 })).toEqual([]);
  });

  test('whose turn it is gets what is rolled out, and waits for it where there is no room', () => {
    const two = { 'shop-1': { ...fresh, place: 0 }, 'shop-2': { ...fresh, place: 0 } };
    expect(steps(two)).toEqual(['shop-1 2', 'shop-2 2']);
    expect(steps(two, { rollout: { maxUnavailableUnits: 1 } })).toEqual(['shop-1 2']);
  });

  test('costs nothing of the budget', () => {
    const units = { 'shop-1': fresh, 'shop-2': fresh, 'shop-3': {} };
    expect(steps(units, { rollout: { maxUnavailableUnits: 1 } })).toEqual([
      'shop-3 2',
      'shop-1 1',
      'shop-2 1',
    ]);
  });

  test.each(['offline', 'skipped'] as const)('that is %s is left alone', (kind) => {
    expect(steps({ fresh: { ...fresh, kind } })).toEqual([]);
  });
});
