import { decodeText } from './decode.ts';
import { openEnvelope } from './envelope.ts';
import { isObject } from './json.ts';
import { bodyFormat } from './media-type.ts';
import type { RequestBody } from './types.ts';
import { textOf, valueOf, wireFields, wireTypes } from './wire.ts';

/** The last field of that number, as who reads it takes it. */
function fieldOf(message: Uint8Array, number: number): Uint8Array {
  let value: Uint8Array = new Uint8Array();
  for (const field of wireFields(message))
    if (field.number === number && field.wire === wireTypes.bytes) value = valueOf(message, field);
  return value;
}

/** Both are field 1, in every object of the API. Source: `generated.proto` of meta/v1. */
const nameInProtobuf = (bytes: Uint8Array): string => textOf(fieldOf(fieldOf(openEnvelope(bytes).raw, 1), 1));

/** The name of the object in a body, of any kind; empty: it says none. Throws `Invalid`, `Unsupported`. */
export function objectName(body: RequestBody): string {
  if (bodyFormat(body.contentType) === 'protobuf') return nameInProtobuf(body.bytes);
  const object = decodeText(body);
  const metadata = isObject(object) ? object['metadata'] : undefined;
  const name = isObject(metadata) ? metadata['name'] : undefined;
  return typeof name === 'string' ? name : '';
}
