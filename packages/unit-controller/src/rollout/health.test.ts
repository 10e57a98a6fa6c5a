import { describe, expect, test } from 'vitest';
import type { MetricReading } from '../gate/index.ts';
import { type CloneFacts, type HealthGate, gateWhenProven, healthOf } from './health.ts';
import { cloneOf } from './testing.ts';

const metric = { url: 'http://metrics/{{unit.name}}', field: '/value', atLeast: '1', atMost: '2.5' };
const says = (text: string): Partial<CloneFacts> => ({ readMetric: () => ({ kind: 'number', text }) });
const unknown: MetricReading = { kind: 'unknown', why: 'no answer' };

describe('a clone', () => {
  test.each([
    ['all pods are available', {}, {}],
    ['nothing is wanted', { wanted: 0, pods: 0, updated: 0, available: 0 }, {}],
    ['enough pods are available', { wanted: 3, pods: 3, updated: 3, available: 2 }, { availablePercent: 66 }],
    ['more pods are available than are wanted', { wanted: 1 }, {}],
    ['restarts are borne', { restarts: 3 }, {}],
    ['the metric is at its upper bound', says('2.50'), { metric }],
    ['the metric is at its lower bound', says('1'), { metric }],
    ['the metric has one bound', says('-1e9'), { metric: { ...metric, atLeast: undefined } }],
    ['the metric has the other bound', says('1e9'), { metric: { ...metric, atMost: undefined } }],
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
    ['the metric is not known yet', {}, { metric }],
    ['the metric is not known yet', { readMetric: () => undefined }, { metric }],
    ['the metric is not known: no answer', { readMetric: () => unknown }, { metric }],
    ['the metric is 0.999999999999999999999, less than 1', says('0.999999999999999999999'), { metric }],
    ['the metric is 3e0, more than 2.5', says('3e0'), { metric }],
    ['the metric is nonsense, less than 1', says('nonsense'), { metric }],
    ['1 of 2 pods available', { available: 1, ...says('0') }, { metric }],
  ] as [string, Partial<CloneFacts>, HealthGate][])('is not good yet where %s', (why, seen, gate) => {
    expect(healthOf(cloneOf(1, seen), gate)).toEqual({ kind: 'notYet', why });
  });

  test('is bad where it restarts more often than is borne', () => {
    const expected = { kind: 'bad', why: '4 restarts, more than 3' };
    expect(healthOf(cloneOf(1, { restarts: 4, available: 0 }))).toEqual(expected);
    expect(healthOf(cloneOf(1, { restarts: 1 }), { maxRestarts: 0 }).kind).toBe('bad');
  });

  test('that has been healthy stays so until something is known of its metric', () => {
    expect(healthOf(cloneOf(1), { metric }, true)).toEqual({ kind: 'good' });
    expect(healthOf(cloneOf(1, says('9')), { metric }, true).kind).toBe('notYet');
  });

  test('whose pods are not good is not asked for its metric', () => {
    let reads = 0;
    const readMetric = (): MetricReading => {
      reads += 1;
      return unknown;
    };
    healthOf(cloneOf(1, { available: 1, readMetric }), { metric });
    healthOf(cloneOf(1, { readMetric }));
    expect(reads).toBe(0);
  });

  test('of a revision that was tried out shows its pods only', () => {
    const gate = gateWhenProven({ availablePercent: 50, maxRestarts: 0, metric });
    expect(healthOf(cloneOf(1, { restarts: 99, available: 1 }), gate)).toEqual({ kind: 'good' });
    expect(healthOf(cloneOf(1, { available: 1 }), gateWhenProven()).kind).toBe('notYet');
  });
});
