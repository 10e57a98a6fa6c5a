import { isDeepStrictEqual } from 'node:util';
import { hasCode } from '@selvedge/kit';
import type { KubeObject } from '@selvedge/kube';
import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { applyPatchBody } from '../../packages/edge-lite/src/hub/merge/index.ts';
import { type Answer, type Request, ask } from './oracle.ts';

const kinds = [
  'v1 Node',
  'v1 Pod',
  'v1 Service',
  'v1 ConfigMap',
  'v1 Event',
  'coordination.k8s.io/v1 Lease',
  'apps/v1 DaemonSet',
  'apps/v1 Deployment',
  'apps/v1 StatefulSet',
];
type Json = Readonly<Record<string, unknown>>;

function ours(object: unknown, patch: unknown): unknown {
  const body = {
    contentType: 'application/strategic-merge-patch+json',
    bytes: Buffer.from(JSON.stringify(patch)),
  };
  try {
    return withoutNulls(applyPatchBody('v1/things', object as KubeObject, body));
  } catch (error) {
    if (hasCode(error, 'Invalid')) return 'refused';
    throw error;
  }
}

const theirs = ({ error, object }: Answer): unknown => (error === true ? 'refused' : withoutNulls(object));

/** What a typed object makes of null. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]));
}

/** An object with unique keys in its lists, as the API server has them. */
async function objects(seeds: readonly number[]): Promise<readonly (readonly [string, Json])[]> {
  const requests = kinds.flatMap((kind) =>
    seeds.map((seed): Request => ({ kind: 'encode', other: kind, text: String(seed) })),
  );
  const answers = await ask(requests);
  return answers.map(({ object = {} }, index) => [requests[index]?.other ?? '', object]);
}

async function compare(
  cases: readonly (readonly [kind: string, object: unknown, patch: unknown])[],
): Promise<void> {
  const answers = await ask(cases.map(([other, object, patch]) => ({ kind: 'merge', other, object, patch })));
  const refusals = answers.filter(({ error }) => error === true);
  expect(refusals.length).toBeLessThan(cases.length * 0.75);
  const differences = cases.flatMap(([, object, patch], index) => {
    const [wanted, actual] = [theirs(answers[index] ?? {}), ours(object, patch)];
    return isDeepStrictEqual(actual, wanted) ? [] : [{ object, patch, wanted, actual }];
  });
  expect(
    differences.toSorted((a, b) => JSON.stringify(a).length - JSON.stringify(b).length)[0],
  ).toBeUndefined();
}

const condition = fc.record(
  {
    type: fc.constantFrom('Ready', 'A', 'B', 'C'),
    status: fc.constantFrom('True', 'False'),
    reason: fc.constantFrom('x', 'y', null),
  },
  { requiredKeys: ['type'] },
);
const directed = fc.record({ type: fc.constantFrom('Ready', 'A', 'B'), $patch: fc.constant('delete') });
/** Never empty: the API server leaves out lists that are. */
const unique = { selector: ({ type }: { type?: string }) => type, minLength: 1, maxLength: 4 };
const texts = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 });
const capacity = fc.dictionary(fc.constantFrom('cpu', 'memory', 'pods'), fc.constantFrom('1', '2', null));

const object = fc.record({
  apiVersion: fc.constant('v1'),
  kind: fc.constant('Node'),
  metadata: fc.record({ name: fc.constant('n'), finalizers: texts }, { requiredKeys: ['name'] }),
  status: fc.record(
    {
      conditions: fc.uniqueArray(condition, unique),
      capacity,
      images: fc.array(fc.record({ names: texts })),
      volumesInUse: texts,
    },
    { requiredKeys: [] },
  ),
});

const patch = fc.record(
  {
    metadata: fc.record(
      {
        finalizers: texts,
        '$deleteFromPrimitiveList/finalizers': texts,
        '$setElementOrder/finalizers': fc.constant(['b', 'a', 'd', 'c']),
      },
      { requiredKeys: [] },
    ),
    status: fc.record(
      {
        conditions: fc.oneof(
          {
            weight: 4,
            arbitrary: fc.uniqueArray(fc.oneof({ weight: 3, arbitrary: condition }, directed), unique),
          },
          {
            weight: 1,
            arbitrary: fc.uniqueArray(condition, unique).map((list) => [...list, { $patch: 'replace' }]),
          },
          { weight: 1, arbitrary: fc.constant(null) },
        ),
        '$setElementOrder/conditions': fc
          .uniqueArray(fc.constantFrom('Ready', 'A', 'B', 'C'), { minLength: 3 })
          .map((names) => names.map((type) => ({ type }))),
        capacity: fc.oneof(
          capacity,
          fc.constant({ $patch: 'replace', cpu: '3' }),
          fc.constant({ $patch: 'delete' }),
        ),
        images: fc.array(fc.record({ names: texts })),
        volumesInUse: texts,
        $retainKeys: fc.constant(['conditions', 'capacity', 'images', 'volumesInUse']),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

interface Lists {
  readonly finalizers?: readonly string[];
  readonly '$deleteFromPrimitiveList/finalizers'?: readonly string[];
}

/** Whether it adds what it deletes: then the order in which apimachinery reads the keys decides. */
const contradicts = ({ finalizers = [], ...lists }: Lists = {}): boolean =>
  lists['$deleteFromPrimitiveList/finalizers']?.some((text) => finalizers.includes(text)) === true;

interface Conditions {
  readonly conditions?: readonly object[] | null;
  readonly '$setElementOrder/conditions'?: readonly object[];
}

/** Whether it deletes and orders: then apimachinery's order follows from how it reuses memory. */
const reuses = ({ conditions, ...lists }: Conditions = {}): boolean =>
  lists['$setElementOrder/conditions'] !== undefined &&
  conditions?.some((item) => Object.hasOwn(item, '$patch')) === true;

describe('a strategic merge', () => {
  it('makes of two random objects what apimachinery makes of them, by the patch between them', async () => {
    const before = await objects([1, 2, 3, 4, 5]);
    const after = await objects([11, 12, 13, 14, 15]);
    const requests = before.map(([other, from], index): Request => {
      return { kind: 'diff', other, object: from, patch: after[index]?.[1] };
    });
    const patches = await ask(requests);
    const usable = patches.flatMap(({ object: change }, index) => {
      const [other = '', from] = before[index] ?? [];
      return change === undefined ? [] : [[other, from, change] as const];
    });
    expect(usable.length).toBeGreaterThan(before.length / 2);
    await compare(usable);
  });

  it('follows directives as apimachinery does', async () => {
    const samples = fc.sample(fc.tuple(object, patch), { seed: 7, numRuns: 3_000 });
    const cases = samples.filter(([, { metadata, status }]) => !contradicts(metadata) && !reuses(status));
    await compare(cases.map(([from, change]) => ['v1 Node', from, change]));
  });
});
