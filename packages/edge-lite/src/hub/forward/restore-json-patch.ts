import { isDeepStrictEqual } from 'node:util';
import { mixedList } from './refusals.ts';
import { type Viewed, isObject, restored } from './restored.ts';

type Operation = Readonly<Record<string, unknown>>;
interface Place {
  readonly viewed: unknown;
  readonly base: unknown;
}

/** Source: RFC 6901. */
const tokensOf = (pointer: unknown): readonly string[] =>
  typeof pointer === 'string'
    ? pointer
        .split('/')
        .slice(1)
        .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    : [];

const member = (value: unknown, token: string): unknown =>
  isObject(value) && Object.hasOwn(value, token) ? value[token] : undefined;

/**
 * What is at a path, as shown and upstream; undefined where both are the same. Throws `Invalid` for a place in a list that
 * views changed: it may be another one upstream.
 */
function placeAt(pointer: unknown, { viewed, base }: Viewed): Place | undefined {
  let place: Place = { viewed, base };
  for (const token of tokensOf(pointer)) {
    if (isDeepStrictEqual(place.viewed, place.base)) return undefined;
    if (Array.isArray(place.viewed) || Array.isArray(place.base)) throw mixedList();
    place = { viewed: member(place.viewed, token), base: member(place.base, token) };
  }
  return isDeepStrictEqual(place.viewed, place.base) ? undefined : place;
}

/** Undefined: it says nothing but what views added. */
function restoredOperation(operation: Operation, viewed: Viewed): Operation | undefined {
  placeAt(operation['from'] ?? '', viewed);
  const place = placeAt(operation['path'], viewed);
  if (place === undefined || !('value' in operation)) return operation;
  const value = restored({ said: operation['value'], ...place }, true);
  return value === undefined ? undefined : { ...operation, value };
}

/** The operations without what views added: those on it compare with, and set, what upstream has. */
export function restoredJsonPatch(patch: unknown, viewed: Viewed): unknown {
  if (!Array.isArray(patch)) return patch;
  return patch.flatMap((operation: unknown) =>
    isObject(operation) ? (restoredOperation(operation, viewed) ?? []) : [operation],
  );
}
