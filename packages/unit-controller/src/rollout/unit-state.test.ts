import { describe, expect, test } from 'vitest';
import { cloneOf } from './testing.ts';
import { type UnitBefore, type UnitFacts, unitStateOf } from './unit-state.ts';

const since = '2026-05-04T00:00:00Z';
const nowMs = Date.parse(since) + 60_000;
const options = { target: 2, gate: {}, deadlineMs: 90_000, nowMs };
const late = { ...options, nowMs: nowMs + 30_000 };
const unit = (change: Partial<UnitFacts>): UnitFacts => ({
  name: 'shop-1',
  labels: {},
  isConnected: true,
  opensMs: nowMs,
  ...change,
});
const was = (state: UnitBefore['state'], revision = 2): UnitBefore => ({ state, revision, since });
const starting = cloneOf(2, { available: 0 });

describe('a unit', () => {
  test.each([
    ['offline', { isConnected: false, clone: cloneOf(2) }],
    ['waiting', {}],
    ['waiting', { clone: cloneOf(1) }],
    ['skipped', { clone: cloneOf(1), problem: 'no label region' }],
    ['healthy', { clone: cloneOf(2), problem: 'no label region' }],
    ['updating', { clone: starting }],
    ['failed', { clone: cloneOf(2, { restarts: 9 }) }],
  ])('is %s by what is seen of it: %j', (kind, seen) => {
    expect(unitStateOf(unit(seen), undefined, options).kind).toBe(kind);
  });

  test.each([
    [nowMs, 'turn'],
    [nowMs + 1, 'window'],
    [undefined, 'window'],
  ])('whose window opens at %s waits for its %s', (opensMs, reason) => {
    expect(unitStateOf(unit({ opensMs }), undefined, options)).toEqual({ kind: 'waiting', for: reason });
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
    expect(unitStateOf(facts, was(state), options).kind).toBe(early);
    expect(unitStateOf(facts, was(state), late).kind).toBe(then);
  });

  test('is not what it was with another revision', () => {
    expect(unitStateOf(unit({ clone: starting }), was('Failed', 1), late).kind).toBe('updating');
    expect(unitStateOf(unit({ clone: cloneOf(2) }), was('Failed'), late).kind).toBe('healthy');
  });
});
