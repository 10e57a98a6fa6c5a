import { describe, expect, test } from 'vitest';
import { cloneOf } from './testing.ts';
import { type StateOptions, type UnitBefore, type UnitFacts, stateNames, viewOf } from './unit-state.ts';

const since = '2026-05-04T00:00:00Z';
const nowMs = Date.parse(since) + 60_000;
const options: StateOptions = {
  target: 2,
  isTargetProven: false,
  trial: 'tried',
  wasHealthy: false,
  gate: {},
  deadlineMs: 90_000,
  nowMs,
};
const late = { nowMs: nowMs + 30_000 };
const unit = (change: Partial<UnitFacts>): UnitFacts => ({
  name: 'shop-1',
  labels: {},
  isConnected: true,
  opensMs: nowMs,
  ...change,
});
const was = (state: UnitBefore['state'], revision = 2): UnitBefore => ({ state, revision, since });
const starting = cloneOf(2, { available: 0 });

/** As it is found by what is remembered of it. */
function found(facts: UnitFacts, before?: UnitBefore, more: Partial<StateOptions> = {}) {
  const wasHealthy = before?.state === 'Healthy' || before?.state === 'Unhealthy';
  return viewOf(facts, before, { ...options, wasHealthy, ...more });
}

describe('a unit', () => {
  test.each([
    ['offline', { isConnected: false, clone: cloneOf(2) }],
    ['offline', { isConnected: false }],
    ['offline', { isConnected: false, problem: 'no label region' }],
    ['waiting', {}],
    ['waiting', { clone: cloneOf(1) }],
    ['skipped', { clone: cloneOf(1), problem: 'no label region' }],
    ['skipped', { problem: 'no label region' }],
    ['healthy', { clone: cloneOf(2), problem: 'no label region' }],
    ['updating', { clone: starting }],
    ['failed', { clone: cloneOf(2, { restarts: 9 }) }],
  ])('is %s by what is seen of it: %j', (kind, seen) => {
    expect(found(unit(seen)).state.kind).toBe(kind);
  });

  test.each([
    [nowMs, 'turn'],
    [nowMs + 1, 'window'],
  ])('whose window opens at %s waits for its %s', (opensMs, reason) => {
    expect(found(unit({ opensMs })).state).toEqual({ kind: 'waiting', for: reason });
  });

  test('whose windows never open is passed, unless it leaves what does not work', () => {
    const closed = { opensMs: undefined };
    const passed = { kind: 'skipped', why: 'its maintenance windows never open' };
    expect(found(unit(closed)).state).toEqual(passed);
    expect(found(unit({ ...closed, clone: cloneOf(1) }), undefined, { trial: 'left' }).state).toEqual(passed);
    const broken = unit({ ...closed, clone: cloneOf(1, { available: 0 }) });
    expect(found(broken).state).toEqual(passed);
    expect(found(broken, undefined, { trial: 'left' }).state.kind).toBe('waiting');
  });

  test.each([
    ['Waiting', 'updating', 'updating'],
    ['Updating', 'updating', 'failed'],
    ['Healthy', 'unhealthy', 'unhealthy'],
    ['Unhealthy', 'unhealthy', 'failed'],
    ['Failed', 'failed', 'failed'],
    // It was not there to become healthy.
    ['Offline', 'updating', 'updating'],
  ] as const)('that was %s and does not work is %s, and %s when its time is over', (state, early, then) => {
    const facts = unit({ clone: starting });
    expect(found(facts, was(state)).state.kind).toBe(early);
    expect(found(facts, was(state), late).state.kind).toBe(then);
    const justBefore = { nowMs: late.nowMs - 1 };
    expect(found(facts, was(state), justBefore).state.kind).toBe(early);
  });

  test.each([
    ['Updating', 'updating'],
    ['Unhealthy', 'unhealthy'],
  ] as const)(
    'that was %s too long is stuck while a node has no link, and has its time again then',
    (state, kind) => {
      const cut = unit({ clone: starting, isCutInPart: true });
      const past = { wasHealthy: state === 'Unhealthy' };
      expect(found(cut, was(state), past).state.kind).toBe(kind);
      const { state: stuck } = found(cut, was(state), { ...late, ...past });
      expect(stuck).toEqual({ kind: 'stuck', why: '0 of 2 pods available; one of its nodes has no link' });
      const before = was(stateNames.stuck);
      expect(found(cut, before, { ...late, ...past }).state).toEqual(stuck);
      expect(found(unit({ clone: starting }), before, { ...late, ...past }).state.kind).toBe(kind);
    },
  );

  test('that failed, or restarts, has failed whatever link its nodes have', () => {
    const cut = unit({ clone: starting, isCutInPart: true });
    expect(found(cut, was('Failed')).state.kind).toBe('failed');
    const restarting = { ...cut, clone: cloneOf(2, { restarts: 9 }) };
    expect(found(restarting, was('Updating')).state.kind).toBe('failed');
  });

  test('is not what it was with another revision', () => {
    expect(found(unit({ clone: starting }), was('Failed', 1), late).state.kind).toBe('updating');
    expect(found(unit({ clone: cloneOf(2) }), was('Failed'), late).state.kind).toBe('healthy');
  });

  test.each(['Healthy', 'Unhealthy', 'Failed', 'Offline'] as const)(
    'that was healthy with what all have, and was %s last, ails and never fails',
    (state) => {
      const proven = { isTargetProven: true, trial: 'proven', wasHealthy: true, nowMs: late.nowMs } as const;
      const broken = unit({ clone: cloneOf(2, { available: 0, restarts: 9 }) });
      expect(found(broken, was(state), proven).state).toEqual({
        kind: 'ailing',
        why: '0 of 2 pods available',
      });
      const never = { ...proven, wasHealthy: false };
      expect(found(broken, was('Updating'), never).state.kind).toBe('failed');
    },
  );

  test.each([
    ['tried', false, true],
    ['left', false, false],
    ['proven', true, false],
  ] as const)('that is %s: restarts are borne %s, the metric counts %s', (trial, isGood, isMeasured) => {
    const gate = { metric: { url: 'http://metrics/', field: '/value', atLeast: '1' } };
    const restarting = unit({ clone: cloneOf(2, { restarts: 9 }) });
    expect(found(restarting, undefined, { trial, gate })).toMatchObject({ isGood, isMeasured: false });
    const measured = unit({ clone: cloneOf(2, { readMetric: () => ({ kind: 'number', text: '0' }) }) });
    expect(found(measured, undefined, { trial, gate })).toMatchObject({ isGood: !isMeasured, isMeasured });
    const cut = { ...measured, isConnected: false };
    expect(found(cut, undefined, { trial, gate }).isMeasured).toBe(false);
    expect(found(measured, undefined, { trial, gate: {} }).isMeasured).toBe(false);
  });
});
