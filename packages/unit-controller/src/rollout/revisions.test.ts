import { fc, test as property } from '@fast-check/vitest';
import type { UnitAppSpec } from '@selvedge/api';
import { describe, expect, test } from 'vitest';
import { type HistoryPlan, type Revision, contentOf, hashOfContent, planHistory } from './revisions.ts';

const specOf = (image: string, more: Partial<UnitAppSpec> = {}): UnitAppSpec => ({
  template: { kind: 'Deployment', spec: { template: { spec: { containers: [{ name: 'till', image }] } } } },
  unitSelector: {},
  ...more,
});

const none: ReadonlySet<number> = new Set();

function kept(revisions: readonly Revision[], { create, remove }: HistoryPlan): readonly Revision[] {
  return [...revisions, ...(create === undefined ? [] : [create])].filter((one) => !remove.includes(one));
}

/** Of one spec after the other, nothing of which is in use. */
const history = (specs: readonly UnitAppSpec[]): readonly Revision[] =>
  specs.reduce<readonly Revision[]>(
    (revisions, spec) => kept(revisions, planHistory({ revisions, spec, inUse: none })),
    [],
  );

const numbers = (revisions: readonly Revision[]): readonly number[] => revisions.map(({ number }) => number);

describe('a revision', () => {
  test('is another one where what units get is another', () => {
    const changes: readonly Partial<UnitAppSpec>[] = [
      { service: { spec: {} } },
      { configMaps: [{ name: 'a' }] },
      { secrets: [{ name: 'a' }] },
      { overrides: [{ name: 'a', units: ['shop-1'], replicas: 2 }] },
    ];
    const hashes = changes.map((change) => hashOfContent(contentOf(specOf('till:1', change))));
    expect(new Set([...hashes, hashOfContent(contentOf(specOf('till:1')))]).size).toBe(5);
  });

  test('is the same however the rollout, the selector and the scaling change, and in whatever order it is written', () => {
    const other: Partial<UnitAppSpec> = {
      rollout: { pause: true },
      scaling: { horizontal: { maxReplicas: 2 } },
    };
    const hash = hashOfContent(contentOf(specOf('till:1')));
    expect(hashOfContent(contentOf(specOf('till:1', { ...other, rollbackTo: 1 })))).toBe(hash);
    const { spec, kind } = specOf('till:1').template;
    expect(hashOfContent({ template: { spec, kind } })).toBe(hash);
    const empty = hashOfContent({ template: { kind, spec: { ...spec, strategy: null } } });
    expect(empty).not.toBe(hash);
  });
});

describe('the history', () => {
  test('numbers revisions, and knows one that comes back', () => {
    expect(numbers(history([specOf('a'), specOf('b'), specOf('b')]))).toEqual([1, 2]);
    const revisions = history([specOf('a'), specOf('b')]);
    expect(planHistory({ revisions, spec: specOf('a'), inUse: none })).toMatchObject({
      wanted: { number: 1 },
      create: undefined,
      remove: [],
    });
  });

  test('keeps so many old ones, what is in use aside', () => {
    const revisions = history(['a', 'b', 'c', 'd', 'e'].map((image) => specOf(image)));
    const spec = specOf('e', { revisionHistoryLimit: 1 });
    expect(numbers(planHistory({ revisions, spec, inUse: none }).remove)).toEqual([1, 2, 3]);
    expect(numbers(planHistory({ revisions, spec, inUse: new Set([1, 4]) }).remove)).toEqual([2]);
    const back = planHistory({ revisions, spec: { ...spec, rollbackTo: 2 }, inUse: none });
    expect([back.wanted?.number, numbers(back.remove)]).toEqual([2, [1, 3]]);
  });

  test('drops the oldest, in whatever order they are told', () => {
    const revisions = history(['a', 'b', 'c', 'd', 'e'].map((image) => specOf(image))).toReversed();
    const spec = specOf('e', { revisionHistoryLimit: 2 });
    expect(numbers(planHistory({ revisions, spec, inUse: none }).remove)).toEqual([1, 2]);
  });

  test('keeps the one with the highest number, so that no number is given twice', () => {
    const revisions = history(['a', 'b', 'c'].map((image) => specOf(image)));
    const spec = specOf('a', { revisionHistoryLimit: 0 });
    const plan = planHistory({ revisions, spec, inUse: none });
    expect([plan.wanted?.number, numbers(plan.remove)]).toEqual([1, [2]]);
    const next = planHistory({ revisions: kept(revisions, plan), spec: specOf('d'), inUse: none });
    expect(next.create?.number).toBe(4);
  });

  test('has no revision to go back to that it does not keep', () => {
    const revisions = history([specOf('a')]);
    expect(
      planHistory({ revisions, spec: specOf('a', { rollbackTo: 7 }), inUse: none }).wanted,
    ).toBeUndefined();
  });
});

const specs = fc.array(
  fc.record({
    image: fc.constantFrom('a', 'b', 'c', 'd'),
    revisionHistoryLimit: fc.integer({ min: 0, max: 3 }),
    rollbackTo: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  }),
  { maxLength: 20 },
);

property.prop([specs, fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 2 })])(
  'never gives a number or a content twice, keeps what is needed and is done in one round',
  (all, used) => {
    let revisions: readonly Revision[] = [];
    for (const { image, rollbackTo, revisionHistoryLimit } of all) {
      const more = rollbackTo === undefined ? {} : { rollbackTo };
      const spec = specOf(image, { revisionHistoryLimit, ...more });
      const inUse = new Set(used.filter((number) => numbers(revisions).includes(number)));
      const plan = planHistory({ revisions, spec, inUse });
      const newest = Math.max(0, ...numbers(revisions));
      revisions = kept(revisions, plan);
      expect(plan.create === undefined || plan.create.number > newest).toBe(true);
      expect(new Set(numbers(revisions)).size).toBe(revisions.length);
      expect(new Set(revisions.map(({ hash }) => hash)).size).toBe(revisions.length);
      expect(numbers(revisions)).toEqual(expect.arrayContaining(Array.from(inUse)));
      if (plan.wanted !== undefined) expect(revisions).toContainEqual(plan.wanted);
      const again = planHistory({ revisions, spec, inUse });
      expect(again).toMatchObject({ create: undefined, remove: [] });
    }
  },
);
