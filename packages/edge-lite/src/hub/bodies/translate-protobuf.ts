import { closeEnvelope, openEnvelope, rawField } from './envelope.ts';
import { invalid } from './invalid.ts';
import { type Edit, splice } from './splice.ts';
import type { TranslateVersion } from './types.ts';
import { isVersion } from './version-paths.ts';
import { type WireField, encodeVarint, textOf, valueOf, wireFields, wireTypes } from './wire.ts';

/** Field numbers that lead to versions. */
type Route = { readonly [field: number]: Route | 'version' };

/** `metadata.resourceVersion`: the same in every object of the API. */
const ofObject: Route = { 1: { 6: 'version' } };
/** `preconditions.resourceVersion`; field 1 is the grace period. */
const ofOptions: Route = { 2: { 2: 'version' } };

const routes: Readonly<Record<string, Route>> = {
  DeleteOptions: ofOptions,
  Eviction: { ...ofObject, 2: ofOptions },
};

function routeOf(kind: string): Route {
  return (Object.hasOwn(routes, kind) ? routes[kind] : undefined) ?? ofObject;
}

function translated(value: Uint8Array, step: Route | 'version', translate: TranslateVersion): Uint8Array {
  if (step !== 'version') return rewrite(value, step, translate);
  const shown = textOf(value);
  if (!isVersion(shown)) return value;
  const version = translate(shown);
  return version === shown ? value : Buffer.from(version);
}

/** The field with its tag and the length of its new value. */
function editOf({ number, start, to }: WireField, value: Uint8Array): Edit {
  const head = [encodeVarint(number * 8 + wireTypes.bytes), encodeVarint(value.length)];
  return { from: start, to, bytes: Buffer.concat([...head, value]) };
}

/** The message with the versions on the route translated; the same bytes if that changes nothing. */
function rewrite(bytes: Uint8Array, route: Route, translate: TranslateVersion): Uint8Array {
  const edits: Edit[] = [];
  for (const field of wireFields(bytes)) {
    const step = route[field.number];
    if (step === undefined) continue;
    if (field.wire !== wireTypes.bytes) throw invalid(`field ${field.number} of it is no message`);
    const value = valueOf(bytes, field);
    const next = translated(value, step, translate);
    if (next !== value) edits.push(editOf(field, next));
  }
  return splice(bytes, edits);
}

export function translateProtobuf(bytes: Uint8Array, translate: TranslateVersion): Uint8Array {
  const { kind, message } = openEnvelope(bytes);
  const next = rewrite(message, { [rawField]: routeOf(kind) }, translate);
  return next === message ? bytes : closeEnvelope(next);
}
