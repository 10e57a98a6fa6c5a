import type { UnitAppStatus } from '@selvedge/api';
import { describe, expect, test } from 'vitest';
import type { UnitFacts } from '../../rollout/index.ts';
import { appOf } from '../testing.ts';
import { conditionsOf } from './conditions.ts';
import { newsOf } from './news.ts';
import { planApp } from './plan-app.ts';

const unitOf = (name: string, change: Partial<UnitFacts> = {}): UnitFacts => ({
  name,
  labels: {},
  isConnected: true,
  opensMs: 0,
  ...change,
});
const cloneOf = (revision: number): NonNullable<UnitFacts['clone']> => ({
  revision,
  isObserved: true,
  wanted: 1,
  pods: 1,
  updated: 1,
  available: 1,
  restarts: 0,
});
const rolloutIn = (state: NonNullable<UnitAppStatus['rollout']>['state'], healthy = 1): UnitAppStatus => ({
  updateRevision: 2,
  rollout: { state, revision: 2, wave: 'one' },
  totals: { units: 2, healthy },
});

const conditions = (status: UnitAppStatus, units: readonly UnitFacts[], problems: readonly string[] = []) =>
  conditionsOf({ status, units, problems, isPlanned: true }).map(
    ({ type, status: is, reason }) => `${type}=${is} ${reason}`,
  );

describe('conditions', () => {
  const [done, old] = [unitOf('a', { clone: cloneOf(2) }), unitOf('b', { clone: cloneOf(1) })];
  const offline = unitOf('c', { isConnected: false, clone: cloneOf(1) });

  test.each([
    [
      'under way',
      rolloutIn('Progressing'),
      [done, old],
      'Available=False Unhealthy',
      'Updated=False Progressing',
      'Progressing=True Progressing',
    ],
    [
      'done',
      rolloutIn('Done'),
      [done],
      'Available=True Healthy',
      'Updated=True Done',
      'Progressing=False Done',
    ],
    [
      'done but for a unit without a link',
      rolloutIn('Done'),
      [done, offline],
      'Available=True Healthy',
      'Updated=True Done',
      'Progressing=False Done',
    ],
    [
      'done but for one that is back',
      rolloutIn('Done', 2),
      [done, old],
      'Available=True Healthy',
      'Updated=False Late',
      'Progressing=False Done',
    ],
    [
      'stopped',
      rolloutIn('Stopped'),
      [done, old],
      'Available=False Unhealthy',
      'Updated=False Stopped',
      'Progressing=False Stopped',
    ],
    [
      'taken back',
      rolloutIn('RolledBack', 2),
      [old],
      'Available=True Healthy',
      'Updated=False RolledBack',
      'Progressing=False RolledBack',
    ],
    [
      'without any link',
      rolloutIn('Progressing', 0),
      [offline],
      'Available=Unknown NoLink',
      'Updated=False Progressing',
      'Progressing=True Progressing',
    ],
    [
      'not begun',
      {},
      [],
      'Available=Unknown NoLink',
      'Updated=False Progressing',
      'Progressing=False NotStarted',
    ],
  ])('of a rollout that is %s', (_, status, units, ...expected) => {
    expect(conditions(status, units)).toEqual([...expected, 'Invalid=False Valid']);
  });

  test('name what cannot be used, the first three', () => {
    const problems = ['a: x', 'b: y', 'c: z', 'd: w'];
    const facts = { status: rolloutIn('Done'), units: [], isPlanned: true };
    const [, , , invalid] = conditionsOf({ ...facts, problems });
    expect(invalid).toMatchObject({ status: 'True', message: 'a: x; b: y; c: z; and 1 more' });
    const [, , , long] = conditionsOf({ ...facts, problems: ['x'.repeat(5_000)] });
    expect(long?.message).toHaveLength(1_024);
  });
});

describe('the plan of a UnitApp', () => {
  const nowMs = Date.parse('2026-05-04T00:00:00Z');
  const facts = { wanted: 1, units: [unitOf('a')], problems: [], nowMs };

  test('comes to nothing at what was reached', () => {
    let app = appOf();
    for (let round = 0; round < 3; round += 1) {
      const { status, steps } = planApp({ ...facts, app, units: [unitOf('a', { clone: cloneOf(1) })] });
      app = { ...app, status: JSON.parse(JSON.stringify(status)) };
      expect(steps).toEqual([]);
    }
    const later = planApp({
      ...facts,
      app,
      units: [unitOf('a', { clone: cloneOf(1) })],
      nowMs: nowMs + 1_000,
    });
    expect(JSON.parse(JSON.stringify(later.status))).toEqual(app.status);
    expect(app.status?.conditions?.every(({ observedGeneration }) => observedGeneration === 3)).toBe(true);
  });

  test('does nothing where there is no revision to roll out, and says why', () => {
    const { status, steps } = planApp({
      ...facts,
      app: appOf(),
      wanted: undefined,
      problems: ['revision 7 is not kept'],
    });
    expect(steps).toEqual([]);
    expect(status.conditions?.find(({ type }) => type === 'Invalid')?.message).toBe('revision 7 is not kept');
  });

  test('is not said to have come anywhere where there is no telling what is wanted', () => {
    const done = unitOf('a', { clone: cloneOf(2) });
    const app = { ...appOf(), status: rolloutIn('Done') };
    const problems = ['revision 7 is not kept'];
    const { status } = planApp({ ...facts, app, units: [done], wanted: undefined, problems });
    expect(status.conditions?.find(({ type }) => type === 'Updated')).toMatchObject({
      status: 'False',
      reason: 'Invalid',
      message: 'revision 7 is not kept',
    });
  });

  test('keeps the status of a rollout whose waves cannot be read', () => {
    const unitSelector = { matchExpressions: [{ key: 'a', operator: 'Near' as 'In' }] };
    const app = { ...appOf(), status: rolloutIn('Done') };
    const spec = { ...app.spec, rollout: { waves: [{ name: 'one', unitSelector }] } };
    const { status, steps } = planApp({ ...facts, app: { ...app, spec } });
    expect([steps, status.rollout]).toEqual([[], app.status.rollout]);
    expect(status.conditions?.find(({ type }) => type === 'Invalid')?.status).toBe('True');
  });
});

describe('news', () => {
  test('are told where the rollout moves, not where only its message is another', () => {
    const [before, after] = [rolloutIn('Progressing'), rolloutIn('Baking')];
    expect(newsOf(undefined, before).map(({ reason }) => reason)).toEqual(['RolloutWave']);
    expect(newsOf(before, after).map(({ reason }) => reason)).toEqual(['RolloutBaking']);
    const said = { ...after, rollout: { ...after.rollout, state: 'Baking' as const, message: 'other' } };
    expect(newsOf(after, said)).toEqual([]);
  });

  test('warn of what stops it, and of what cannot be used, once', () => {
    const invalid = (message: string): UnitAppStatus => ({
      ...rolloutIn('Stopped'),
      conditions: [{ type: 'Invalid', status: 'True', reason: 'Invalid', message, lastTransitionTime: '' }],
    });
    expect(
      newsOf(rolloutIn('Progressing'), invalid('a')).map(({ type, reason }) => `${type} ${reason}`),
    ).toEqual(['Warning RolloutStopped', 'Warning Invalid']);
    expect(newsOf(invalid('a'), invalid('a'))).toEqual([]);
    expect(newsOf(invalid('a'), invalid('b')).map(({ message }) => message)).toEqual(['b']);
  });
});
