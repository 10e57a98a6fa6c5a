import { describe, expect, test } from 'vitest';
import { healthOf } from './health.ts';
import { cloneOf } from './testing.ts';

const metric = { url: 'http://metrics/{{unit.name}}', field: '/value', atLeast: '1', atMost: '2.5' };

describe('a clone', () => {
  test.each([
    ['all pods are available', {}, {}],
    ['nothing is wanted', { wanted: 0, pods: 0, updated: 0, available: 0 }, {}],
    ['enough pods are available', { wanted: 3, pods: 3, updated: 3, available: 2 }, { availablePercent: 66 }],
    ['restarts are borne', { restarts: 3 }, {}],
    ['the metric is in its bounds', { metric: 2.5 }, { metric }],
  ])('is good where %s', (_, seen, gate) => {
    expect(healthOf(cloneOf(1, seen), gate)).toEqual({ kind: 'good' });
  });

  test.each([
    ['its controller has not seen it', { isObserved: false, restarts: 9 }, {}],
    ['1 of 2 pods available', { available: 1 }, {}],
    ['0 of 2 pods available', { updated: 0 }, {}],
    // Two old pods serve, the two new ones are not ready.
    ['0 of 2 pods available', { pods: 4, updated: 2, available: 2 }, {}],
    ['1 of 2 pods available', { pods: 3, updated: 2, available: 2 }, {}],
    ['2 of 3 pods available', { wanted: 3, pods: 3, updated: 3, available: 2 }, { availablePercent: 67 }],
    ['the metric is not known', {}, { metric }],
    ['the metric is not known', { metric: Number.NaN }, { metric }],
    ['the metric is 0.5, less than 1', { metric: 0.5 }, { metric }],
    ['the metric is 3, more than 2.5', { metric: 3 }, { metric }],
  ])('is not good yet where %s', (why, seen, gate) => {
    expect(healthOf(cloneOf(1, seen), gate)).toEqual({ kind: 'notYet', why });
  });

  test('is bad where it restarts more often than is borne', () => {
    const expected = { kind: 'bad', why: '4 restarts, more than 3' };
    expect(healthOf(cloneOf(1, { restarts: 4, available: 0 }))).toEqual(expected);
    expect(healthOf(cloneOf(1, { restarts: 1 }), { maxRestarts: 0 }).kind).toBe('bad');
  });
});
