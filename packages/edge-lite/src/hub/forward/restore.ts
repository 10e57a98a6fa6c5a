import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@selvedge/kube';
import { type BodyFormat, bodyFormat } from '../bodies/index.ts';

type Json = Readonly<Record<string, unknown>>;

/** An object as upstream has it, and as it is shown here. */
export interface Viewed {
  readonly base: KubeObject;
  readonly viewed: KubeObject;
}

interface Values<T> {
  readonly said: T;
  readonly viewed: T;
  readonly base: T;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of these not all is said: what is missing stays as it is. */
const partial: ReadonlySet<BodyFormat> = new Set(['apply', 'merge-patch', 'strategic-merge-patch']);

function restoredObject({ said, viewed, base }: Values<Json>, isWhole: boolean): Json {
  const missing = Object.keys(base).filter((key) => isWhole && !(key in said) && !(key in viewed));
  const keys = [...Object.keys(said), ...missing];
  const entries = keys.map((key) => {
    const values = { said: said[key], viewed: viewed[key], base: base[key] };
    return [key, missing.includes(key) ? base[key] : restored(values, isWhole)] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function restored({ said, viewed, base }: Values<unknown>, isWhole: boolean): unknown {
  if (isDeepStrictEqual(viewed, base)) return said;
  if (isDeepStrictEqual(said, viewed)) return base;
  if (isObject(said) && isObject(viewed) && isObject(base)) {
    return restoredObject({ said, viewed, base }, isWhole);
  }
  return said;
}

/**
 * A write without what the views of this node added to what its writer was shown: what he says as it was shown to him, he
 * does not say. Of a list that holds something else, too, nothing is known, nor of operations of a JSON patch, YAML and
 * protobuf. Bytes that say nothing of the kind stay the same. The body must be what its type says.
 */
export function restoreBody(
  bytes: Uint8Array,
  contentType: string | undefined,
  { base, viewed }: Viewed,
): Uint8Array {
  const format = bodyFormat(contentType);
  const isWhole = format === 'json';
  if (!isWhole && !partial.has(format)) return bytes;
  const text = Buffer.from(bytes).toString();
  if (!text.trimStart().startsWith('{')) return bytes;
  const said: unknown = JSON.parse(text);
  const next = restored({ said, viewed, base }, isWhole);
  return isDeepStrictEqual(next, said) ? bytes : Buffer.from(JSON.stringify(next));
}
