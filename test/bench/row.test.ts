import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { quantile, row } from './row.ts';

it('quotes medians, the ratio to the peer and the goal in words', () => {
  const measure = {
    id: 'pods.start.p50',
    unit: 'ms',
    ours: [300, 100, 200],
    peer: { name: 'kubelet 1.36.3', values: [500, 600] },
    goal: { kind: 'at-most-ratio', ratio: 0.5 },
  } as const;
  expect(row(measure)).toEqual({
    id: 'pods.start.p50',
    unit: 'ms',
    ours: 200,
    peer: 550,
    peerName: 'kubelet 1.36.3',
    goal: '<= 0.5 x peer',
    ok: true,
    samples: 3,
  });
});

it('says that a goal is missed, and nothing where there is none', () => {
  expect(row({ id: 'a', unit: 'MB', ours: [31], goal: { kind: 'at-most', value: 30 } })).toMatchObject({
    goal: '<= 30',
    ok: false,
    peer: null,
  });
  expect(row({ id: 'a', unit: 'MB', ours: [31] })).toMatchObject({ goal: null, ok: null });
  const peer = { name: 'other', values: [10] };
  const goal = { kind: 'at-least-ratio', ratio: 3 } as const;
  expect(row({ id: 'a', unit: 'MB/s', ours: [29], peer, goal })).toMatchObject({
    goal: '>= 3 x peer',
    ok: false,
  });
  expect(row({ id: 'a', unit: 'MB/s', ours: [30], peer, goal })).toMatchObject({ ok: true });
});

it('refuses to invent a value', () => {
  expect(() => quantile([], 0.5)).toThrow(RangeError);
});

test.prop([fc.array(fc.integer(), { minLength: 1 }), fc.double({ min: 0, max: 1, noNaN: true })])(
  'stays within the samples and grows with q',
  (values, q) => {
    const value = quantile(values, q);
    expect(value).toBeGreaterThanOrEqual(Math.min(...values));
    expect(value).toBeLessThanOrEqual(Math.max(...values));
    expect(quantile(values, 1)).toBe(Math.max(...values));
  },
);
