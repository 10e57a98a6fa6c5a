import { upstreamText } from '../replica/index.ts';
import { type Envelope, closeEnvelope, openEnvelope, rawField } from './envelope.ts';
import { invalid } from './invalid.ts';
import { type Edit, splice } from './splice.ts';
import type { TranslateVersion } from './types.ts';
import { isVersion } from './version-paths.ts';
import { type WireField, encodeVarint, textOf, valueOf, wireFields, wireTypes } from './wire.ts';

/** Field numbers that lead to versions. */
type Step = Route | 'reference' | 'version';
type Route = { readonly [field: number]: Step };

/** `metadata.resourceVersion`: the same in every object of the API. */
const ofObject: Route = { 1: { 6: 'version' } };
/** `preconditions.resourceVersion`; field 1 is the grace period. */
const ofOptions: Route = { 2: { 2: 'version' } };

/** `resourceVersion` of an ObjectReference. */
const ofReference: Route = { 6: 'reference' };

/** By kind, or by API version and kind where they differ. Source: `generated.proto` of each group. */
const routes: Readonly<Record<string, Route>> = {
  DeleteOptions: ofOptions,
  'events.k8s.io/v1 Event': { ...ofObject, 8: ofReference, 9: ofReference },
  'v1 Event': { ...ofObject, 2: ofReference, 13: ofReference },
  Eviction: { ...ofObject, 2: ofOptions },
};

function routeOf({ apiVersion, kind }: Envelope): Route {
  const name = [`${apiVersion} ${kind}`, kind].find((one) => Object.hasOwn(routes, one));
  return (name === undefined ? undefined : routes[name]) ?? ofObject;
}

function translated(value: Uint8Array, step: Step, translate: TranslateVersion): Uint8Array {
  if (typeof step === 'object') return rewrite(value, step, translate);
  const shown = textOf(value);
  if (!isVersion(shown)) return value;
  const version = step === 'version' ? translate(shown) : upstreamText(shown);
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
  const envelope = openEnvelope(bytes);
  const { message } = envelope;
  const next = rewrite(message, { [rawField]: routeOf(envelope) }, translate);
  return next === message ? bytes : closeEnvelope(next);
}
