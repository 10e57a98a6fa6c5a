import { invalid } from './invalid.ts';
import { textOf, valueOf, wireFields, wireTypes } from './wire.ts';

/** Before each message. Source: kubernetes.io "Kubernetes API Concepts", "Protobuf encoding idiosyncrasies". */
const magic = Buffer.from('k8s\0');

/** `k8s.io.apimachinery.pkg.runtime.Unknown`: the type, and the object in bytes. */
export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  /** Without the magic. */
  readonly message: Uint8Array;
  readonly raw: Uint8Array;
}

const typeMetaField = 1;
export const rawField = 2;

function typeMetaOf(bytes: Uint8Array): readonly [apiVersion: string, kind: string] {
  const texts = ['', ''];
  for (const field of wireFields(bytes)) texts[field.number - 1] = textOf(valueOf(bytes, field));
  return [texts[0] ?? '', texts[1] ?? ''];
}

/** Throws `Invalid`. */
export function openEnvelope(bytes: Uint8Array): Envelope {
  if (!magic.equals(bytes.subarray(0, magic.length)))
    throw invalid('it does not begin as Kubernetes’ protobuf');
  const message = bytes.subarray(magic.length);
  let [apiVersion, kind] = ['', ''];
  let raw: Uint8Array = new Uint8Array();
  for (const field of wireFields(message)) {
    if (field.wire !== wireTypes.bytes) throw invalid('its envelope is broken');
    if (field.number === typeMetaField) [apiVersion, kind] = typeMetaOf(valueOf(message, field));
    if (field.number === rawField) raw = valueOf(message, field);
  }
  return { apiVersion, kind, message, raw };
}

/** The whole again, around another message. */
export const closeEnvelope = (message: Uint8Array): Uint8Array => Buffer.concat([magic, message]);
