/** The parts of a list's metadata that the client sees. */
export interface ListMetadata {
  readonly resourceVersion: string;
  /** Empty: that was all. */
  readonly continue?: string | undefined;
}

const flushCharacters = 64 * 1024;

export function listMetadata({ resourceVersion, continue: token }: ListMetadata): object {
  return { resourceVersion, ...(token === undefined || token === '' ? {} : { continue: token }) };
}

/** Everything of a list before its items. */
export function listHead(
  type: { readonly kind: string; readonly apiVersion: string },
  metadata: ListMetadata,
): string {
  const fields = JSON.stringify({ ...type, metadata: listMetadata(metadata) });
  return `${fields.slice(0, -1)},"items":[`;
}

/**
 * A list, or a table, as it is written: in pieces of about 64 KiB as they are read, never in memory as a whole. `head` ends
 * where the first item begins.
 */
export async function* listChunks(
  head: string,
  items: Iterable<string> | AsyncIterable<string>,
): AsyncGenerator<Uint8Array, void, void> {
  let parts = [head];
  let size = 0;
  let separator = '';
  for await (const json of items) {
    parts.push(separator, json);
    separator = ',';
    size += json.length;
    if (size < flushCharacters) continue;
    yield Buffer.from(parts.join(''));
    parts = [];
    size = 0;
  }
  parts.push(']}\n');
  yield Buffer.from(parts.join(''));
}
