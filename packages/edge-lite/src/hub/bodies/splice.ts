import type { Span } from './json.ts';

/** New bytes for a span of old ones. */
export interface Edit extends Span {
  readonly bytes: Uint8Array;
}

/** The bytes with the edits made, which lie in order and do not overlap; the same ones if there are none. */
export function splice(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  if (edits.length === 0) return bytes;
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const edit of edits) {
    pieces.push(bytes.subarray(at, edit.from), edit.bytes);
    at = edit.to;
  }
  return Buffer.concat([...pieces, bytes.subarray(at)]);
}
