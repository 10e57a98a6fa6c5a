import { isDeepStrictEqual } from 'node:util';
import { type BodyFormat, bodyFormat, decodeBody, isJsonText } from '../bodies/index.ts';
import { notUndone } from './refusals.ts';
import { restoredJsonPatch } from './restore-json-patch.ts';
import { type Viewed, restored } from './restored.ts';

export type { Viewed } from './restored.ts';

/** Of these all is said: what is missing is to go. */
const whole: ReadonlySet<BodyFormat> = new Set(['json', 'yaml']);

function said(bytes: Uint8Array, contentType: string | undefined): unknown {
  const format = bodyFormat(contentType);
  if (format === 'json-patch') return JSON.parse(Buffer.from(bytes).toString());
  return decodeBody({ contentType, bytes });
}

/**
 * A write without what the views of this node added to what its writer was shown: what he says as it was shown to him, he
 * does not say. Bytes that say nothing of the kind stay the same. Throws `Unsupported` where it cannot be undone: in YAML
 * that says it, and in protobuf; `Invalid` for a list in which one cannot tell. The body must be what its type says.
 */
export function restoreBody(bytes: Uint8Array, contentType: string | undefined, viewed: Viewed): Uint8Array {
  const format = bodyFormat(contentType);
  if (format === 'protobuf') throw notUndone(viewed.base, 'protobuf');
  const before = said(bytes, contentType);
  const next =
    format === 'json-patch'
      ? restoredJsonPatch(before, viewed)
      : restored({ said: before, ...viewed }, whole.has(format));
  if (isDeepStrictEqual(next, before)) return bytes;
  // What YAML says depends on who reads it: it is not written anew.
  const isYaml = format === 'yaml' || format === 'apply';
  if (isYaml && !isJsonText(bytes)) throw notUndone(viewed.base, 'YAML');
  return Buffer.from(JSON.stringify(next));
}
