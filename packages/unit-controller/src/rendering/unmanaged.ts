import { type JsonObject, isObject } from '@selvedge/kube';

function without(value: unknown, [token, ...rest]: readonly string[]): unknown {
  if (!isObject(value) || token === undefined || !Object.hasOwn(value, token)) return value;
  const { [token]: inner, ...others } = value;
  return rest.length === 0 ? others : { ...others, [token]: without(inner, rest) };
}

/** Of a JSON pointer, RFC 6901. */
const tokensOf = (pointer: string): readonly string[] =>
  pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

/**
 * The object without what is left to others, for an apply after the object was made: a field that an applier never had
 * stays as others have it. Pointers go through objects, not lists. Pure.
 */
export function withoutUnmanaged<T extends JsonObject>(object: T, pointers: readonly string[]): T {
  return pointers.reduce<unknown>((left, pointer) => without(left, tokensOf(pointer)), object) as T;
}
