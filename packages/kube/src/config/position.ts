import { type Document, type LineCounter, isMap, isNode, isScalar, isSeq } from 'yaml';

/** Keys of mappings and indexes of lists, from the top of the document. */
export type FieldPath = readonly (string | number)[];

interface Found {
  readonly node: unknown;
  readonly offset: number | undefined;
}

const offsetOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);

function child(node: unknown, key: string | number): Found | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(key)];
    return item === undefined ? undefined : { node: item, offset: offsetOf(item) };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((one) => isScalar(one.key) && String(one.key.value) === String(key));
  return pair === undefined ? undefined : { node: pair.value, offset: offsetOf(pair.key) };
}

/** The line, from 1, of the field at `path`, or of what should hold it. */
export function lineOf(document: Document, lines: LineCounter, path: FieldPath): number {
  let node: unknown = document.contents;
  let offset = offsetOf(node) ?? 0;
  for (const key of path) {
    const found = child(node, key);
    if (found === undefined) break;
    node = found.node;
    offset = found.offset ?? offset;
  }
  return Math.max(1, lines.linePos(offset).line);
}

/** `server.urls[0]`. */
export function fieldName(path: FieldPath): string {
  const parts = path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${key}`));
  return parts.join('');
}
