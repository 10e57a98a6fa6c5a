import { SelvedgeError } from '@selvedge/kit';
import { typeOf } from '@selvedge/kube';
import { decodeMessage } from './decode-message.ts';
import { openEnvelope } from './envelope.ts';
import { invalid } from './invalid.ts';
import { type JsonObject, isObject, parseJson } from './json.ts';
import { bodyFormat } from './media-type.ts';
import type { DecodeBody, RequestBody } from './types.ts';
import { isJsonText, parseYaml } from './yaml.ts';

function decodeProtobuf(bytes: Uint8Array): JsonObject {
  const { apiVersion, kind, raw } = openEnvelope(bytes);
  const type = kind === 'DeleteOptions' ? typeOf('v1', kind) : typeOf(apiVersion, kind);
  if (type === undefined)
    throw new SelvedgeError(`a ${kind} of ${apiVersion} in protobuf is not understood`, {
      code: 'Unsupported',
    });
  return { kind, apiVersion, ...decodeMessage(type, raw) };
}

/** What a text format says, a JSON patch too. Throws `Invalid`, `Unsupported`. */
export function decodeText({ contentType, bytes }: RequestBody): unknown {
  const format = bodyFormat(contentType);
  const isYaml = format === 'yaml' || format === 'apply';
  return isYaml && !isJsonText(bytes) ? parseYaml(bytes) : parseJson(bytes);
}

/** See `DecodeBody`. An empty body is an empty object. */
export const decodeBody: DecodeBody = (body) => {
  if (body.bytes.length === 0) return {};
  if (bodyFormat(body.contentType) === 'protobuf') return decodeProtobuf(body.bytes);
  const value = decodeText(body);
  if (!isObject(value)) throw invalid('it is no object');
  return value;
};
