import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '@selvedge/kube';
import { mixedList } from './refusals.ts';

type Json = Readonly<Record<string, unknown>>;
type List = readonly unknown[];

/** An object as upstream has it, and as it is shown here. */
export interface Viewed {
  readonly base: KubeObject;
  readonly viewed: KubeObject;
}

export interface Values<T> {
  readonly said: T;
  readonly viewed: T;
  readonly base: T;
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: unknown): value is List => Array.isArray(value);

function restoredObject({ said, viewed, base }: Values<Json>, isWhole: boolean): Json {
  const missing = Object.keys(base).filter((key) => isWhole && !(key in said) && !(key in viewed));
  const keys = [...Object.keys(said), ...missing];
  const entries = keys.map((key) => {
    const values = { said: said[key], viewed: viewed[key], base: base[key] };
    return [key, missing.includes(key) ? base[key] : restored(values, isWhole)] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Item by item, if nobody took or added one; else those that are just as they were shown. */
function restoredList({ said, viewed, base }: Values<List>, isWhole: boolean): List {
  const places = viewed.length === base.length;
  if (places && said.length === viewed.length) {
    return said.map((item, at) => restored({ said: item, viewed: viewed[at], base: base[at] }, isWhole));
  }
  return said.map((item) => {
    const at = viewed.findIndex((one) => isDeepStrictEqual(one, item));
    const isUpstream = at < 0 || base.some((one) => isDeepStrictEqual(one, item));
    if (isUpstream) return item;
    if (places) return base[at];
    throw mixedList();
  });
}

/**
 * What somebody says without what views added to what he was shown. Undefined: he says nothing but what they added. With
 * `isWhole`, what views hide and he does not mention stays. Throws `Invalid` for a list in which one cannot tell.
 */
export function restored({ said, viewed, base }: Values<unknown>, isWhole: boolean): unknown {
  if (isDeepStrictEqual(viewed, base)) return said;
  if (isDeepStrictEqual(said, viewed)) return base;
  if (isObject(said) && isObject(viewed) && isObject(base)) {
    return restoredObject({ said, viewed, base }, isWhole);
  }
  if (isList(said) && isList(viewed) && isList(base)) return restoredList({ said, viewed, base }, isWhole);
  return said;
}
