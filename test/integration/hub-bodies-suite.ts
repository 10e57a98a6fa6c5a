import { hasCode } from '@selvedge/kit';
import { fc } from '@fast-check/vitest';
import { decodeBody, translateBody } from '../../packages/edge-lite/src/hub/bodies/index.ts';
import { ask } from './oracle.ts';

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
export const protobuf = 'application/vnd.kubernetes.protobuf';

/** An object, and what Go's codec makes of it. */
export interface Sample {
  readonly kind: string;
  readonly object: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
}

/** Random objects of every kind that nodes write. */
export async function sampleBodies(): Promise<readonly Sample[]> {
  const wanted = kinds.flatMap((kind) => Array.from({ length: seeds }, (_, seed) => ({ kind, seed })));
  const answers = await ask(
    wanted.map(({ kind, seed }) => ({ kind: 'encode', other: kind, text: String(seed) })),
  );
  return answers.map(({ object = {}, data = '' }, index) => ({
    kind: wanted[index]?.kind ?? '',
    object,
    bytes: Buffer.from(data, 'base64'),
  }));
}

/** Cuts samples, or turns bits of them: they are refused as Invalid, or read as something. */
export function damageBodies(samples: readonly Sample[], numRuns: number): void {
  const damage = fc.record({ which: fc.nat(), where: fc.nat(), bit: fc.nat(7), cut: fc.boolean() });
  const check = ({ which, where, bit, cut }: typeof damage extends fc.Arbitrary<infer T> ? T : never) => {
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
  fc.assert(fc.property(damage, check), { numRuns });
}
