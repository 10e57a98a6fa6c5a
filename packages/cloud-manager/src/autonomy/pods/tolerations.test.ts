import type { Toleration } from '@selvedge/kube/types';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type Tolerance, toleratedFor } from './tolerations.ts';

const unreachable = 'node.kubernetes.io/unreachable';
const notReady = 'node.kubernetes.io/not-ready';
const own = (key: string, tolerationSeconds?: number): Toleration => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
});
const ours = (key: string, tolerationSeconds?: number): Toleration => ({
  ...own(key, tolerationSeconds),
  operator: 'Equal',
});
/** What the admission plugin DefaultTolerationSeconds adds. */
const defaults = [own(notReady, 300), own(unreachable, 300)];
const day: Tolerance = { kind: 'period', seconds: 86_400 };

describe('tolerations of a bound pod', () => {
  test('get ours in front, and the pod keeps its own', () => {
    expect(toleratedFor(defaults, day)).toEqual([
      ours(unreachable, 86_400),
      ours(notReady, 86_400),
      ...defaults,
    ]);
    expect(toleratedFor(defaults, { kind: 'forever' })).toEqual([
      ours(unreachable),
      ours(notReady),
      ...defaults,
    ]);
  });

  test('are as before in effect when that is undone', () => {
    const undone = toleratedFor(toleratedFor(defaults, { kind: 'forever' }), { kind: 'own' });
    expect(undone).toEqual([ours(unreachable, 300), ours(notReady, 300), ...defaults]);
  });

  test.each<[string, readonly Toleration[]]>([
    ['none', []],
    ['of everything', [{ operator: 'Exists' }]],
    ['of longer', [own(notReady, 100_000), own(unreachable, 100_000)]],
    ['of other taints', [{ key: 'a', operator: 'Exists' }]],
  ])('stay as they are: %s', (_what, tolerations) => {
    expect(toleratedFor(tolerations, day)).toBe(tolerations);
  });
});

const toleration = fc.record(
  {
    key: fc.constantFrom('', unreachable, notReady, 'a'),
    operator: fc.constantFrom('Exists', 'Exists', ''),
    effect: fc.constantFrom('NoExecute', 'NoExecute', 'NoSchedule', ''),
    tolerationSeconds: fc.constantFrom(0, 60, 300, 100_000),
  },
  { requiredKeys: ['key', 'operator', 'effect'] },
);
const lists = fc.array(toleration, { maxLength: 5 });
const tolerance: fc.Arbitrary<Tolerance> = fc.oneof(
  fc.constant<Tolerance>({ kind: 'own' }),
  fc.constant<Tolerance>({ kind: 'forever' }),
  fc.record({ kind: fc.constant('period' as const), seconds: fc.integer({ min: 1, max: 200_000 }) }),
);

/** As GetMatchingTolerations of Kubernetes 1.36 finds it, for a taint without a value. */
function effective(list: readonly Toleration[], key: string): number | 'none' {
  const first = list.find(
    (each) =>
      (each.effect === '' || each.effect === 'NoExecute') &&
      (each.key === '' || each.key === key) &&
      (each.operator === 'Exists' || (each.value ?? '') === ''),
  );
  return first === undefined ? 'none' : (first.tolerationSeconds ?? Number.POSITIVE_INFINITY);
}

/** As ValidatePodUpdate of Kubernetes 1.36 wants it: each is there still, but for its seconds. */
const isAllowed = (before: readonly Toleration[], after: readonly Toleration[]): boolean => {
  const form = ({ tolerationSeconds: _seconds, ...rest }: Toleration): string => JSON.stringify(rest);
  const kept = new Set(after.map((each) => form({ ...own(''), ...each })));
  return before.every((each) => kept.has(form({ ...own(''), ...each })));
};

describe('whatever tolerations a pod has', () => {
  property.prop([lists, fc.array(tolerance, { maxLength: 4 })])(
    'each step is allowed, never shortens, and all are undone in one',
    (original, steps) => {
      let list: readonly Toleration[] = original;
      for (const step of steps) {
        const next = toleratedFor(list, step);
        expect(isAllowed(list, next)).toBe(true);
        expect(toleratedFor(next, step)).toBe(next);
        expect(next.length).toBeLessThanOrEqual(original.length + 2);
        list = next;
      }
      const undone = toleratedFor(list, { kind: 'own' });
      for (const key of [unreachable, notReady]) {
        expect(effective(undone, key)).toBe(effective(original, key));
      }
    },
  );

  property.prop([lists, fc.integer({ min: 1, max: 200_000 })])(
    'a tolerated taint is tolerated for the period',
    (list, seconds) => {
      const next = toleratedFor(list, { kind: 'period', seconds });
      for (const key of [unreachable, notReady]) {
        const before = effective(list, key);
        expect(effective(next, key)).toBe(before === 'none' ? 'none' : Math.max(before, seconds));
      }
    },
  );
});
