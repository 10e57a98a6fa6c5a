import { hasCode } from '@selvedge/kit';
import { fc } from '@fast-check/vitest';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, translateBody } from '../../packages/edge-lite/src/hub/bodies/index.ts';
import { type Answer, ask } from './oracle.ts';

const kinds = [
  'authentication.k8s.io/v1 TokenRequest',
  'authentication.k8s.io/v1 TokenReview',
  'authorization.k8s.io/v1 LocalSubjectAccessReview',
  'authorization.k8s.io/v1 SubjectAccessReview',
  'coordination.k8s.io/v1 Lease',
  'events.k8s.io/v1 Event',
  'policy/v1 Eviction',
  'storage.k8s.io/v1 CSINode',
  'v1 DeleteOptions',
  'v1 Event',
  'v1 Node',
  'v1 Pod',
];
const seeds = 40;
const protobuf = 'application/vnd.kubernetes.protobuf';

interface Sample {
  readonly kind: string;
  readonly object: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
}

let samples: readonly Sample[];

beforeAll(async () => {
  const wanted = kinds.flatMap((kind) => Array.from({ length: seeds }, (_, seed) => ({ kind, seed })));
  const answers = await ask(
    wanted.map(({ kind, seed }) => ({ kind: 'encode', other: kind, text: String(seed) })),
  );
  samples = answers.map(({ object = {}, data = '' }, index) => ({
    kind: wanted[index]?.kind ?? '',
    object,
    bytes: Buffer.from(data, 'base64'),
  }));
});

/** Go writes lists and times that are not there as null. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]));
}

/** The object with another version in `metadata` and in preconditions, where it has one. */
function withVersions(object: Sample['object'], translate: (version: string) => string): unknown {
  const text = JSON.stringify(object);
  const body = { contentType: 'application/json', bytes: Buffer.from(text) };
  return JSON.parse(Buffer.from(translateBody(body, translate)).toString());
}

const decodeAll = (
  bodies: readonly (readonly [kind: string, bytes: Uint8Array])[],
): Promise<readonly Answer[]> =>
  ask(
    bodies.map(([kind, bytes]) => ({
      kind: 'decode',
      other: kind,
      data: Buffer.from(bytes).toString('base64'),
    })),
  );

describe('protobuf of the generated Go codec', () => {
  it('is read as JSON of the same object', () => {
    for (const { object, bytes } of samples)
      expect(withoutNulls(decodeBody({ contentType: protobuf, bytes }))).toEqual(withoutNulls(object));
  });

  it('has its versions translated, and nothing else changes', async () => {
    const longer = (version: string): string => `${version}-${'9'.repeat(200)}`;
    const bodies = samples.map(
      ({ kind, bytes }) => [kind, translateBody({ contentType: protobuf, bytes }, longer)] as const,
    );
    const answers = await decodeAll(bodies);
    const changed = samples.filter(({ object }, index) => {
      const wanted = withVersions(object, longer);
      expect(answers[index]?.object).toEqual(wanted);
      return JSON.stringify(wanted) !== JSON.stringify(object);
    });
    expect(changed.length).toBeGreaterThan(samples.length / 4);
  });

  it('goes on in the same bytes where no version changes', () => {
    for (const { bytes } of samples)
      expect(translateBody({ contentType: protobuf, bytes }, (version) => version)).toBe(bytes);
  });

  it('is refused as Invalid, or read as something, when it is cut or when bits of it are turned', () => {
    const damage = fc.record({ which: fc.nat(), where: fc.nat(), bit: fc.nat(7), cut: fc.boolean() });
    const check = ({
      which,
      where,
      bit,
      cut,
    }: {
      which: number;
      where: number;
      bit: number;
      cut: boolean;
    }) => {
      const { bytes } = samples[which % samples.length] ?? { bytes: Buffer.alloc(0) };
      const at = where % bytes.length;
      const damaged = Buffer.from(cut ? bytes.subarray(0, at) : bytes);
      if (!cut) damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
      const body = { contentType: protobuf, bytes: damaged };
      for (const read of [() => decodeBody(body), () => translateBody(body, () => '1')]) {
        try {
          read();
        } catch (error) {
          if (!hasCode(error, 'Invalid', 'Unsupported')) throw error;
        }
      }
    };
    fc.assert(fc.property(damage, check), { numRuns: 20_000 });
  });
});
