import { beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, translateBody } from '../../packages/edge-lite/src/hub/bodies/index.ts';
import { type Sample, damageBodies, protobuf, sampleBodies } from './hub-bodies-suite.ts';
import { type Answer, ask } from './oracle.ts';

let samples: readonly Sample[];

beforeAll(async () => {
  samples = await sampleBodies();
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
    damageBodies(samples, 3_000);
  });
});
