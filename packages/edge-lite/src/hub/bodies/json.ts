import { invalid } from './invalid.ts';

/** Deeper ones would exhaust the stack of what walks them; no API type comes near. */
const maxDepth = 500;

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openObject, closeObject, openList, closeList] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Where a value lies in the bytes; `to` is exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

function skipSpace(bytes: Uint8Array, at: number): number {
  let next = at;
  while (isSpace(bytes[next])) next += 1;
  return next;
}

function endOfString(bytes: Uint8Array, at: number): number {
  let next = at + 1;
  while (next < bytes.length && bytes[next] !== quote) next += bytes[next] === backslash ? 2 : 1;
  return next + 1;
}

/** How much deeper it is behind this byte, outside of texts. */
function step(byte: number | undefined): number {
  if (byte === openObject || byte === openList) return 1;
  return byte === closeObject || byte === closeList ? -1 : 0;
}

/** Behind the text, the bracket or the other byte at `at`. */
const endOfToken = (bytes: Uint8Array, at: number): number =>
  bytes[at] === quote ? endOfString(bytes, at) : at + 1;

const isBare = (byte: number | undefined): boolean =>
  byte !== undefined && byte !== comma && step(byte) === 0 && !isSpace(byte);

function endOfBare(bytes: Uint8Array, at: number): number {
  let next = at;
  while (isBare(bytes[next])) next += 1;
  return next;
}

/** Behind the value that begins at `at`. Of nested ones only the brackets count, as the bytes are known to be JSON. */
function endOfValue(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== quote && step(bytes[at]) === 0) return endOfBare(bytes, at);
  let [next, depth] = [at, 0];
  do {
    depth += step(bytes[next]);
    next = endOfToken(bytes, next);
  } while (depth > 0 && next < bytes.length);
  return next;
}

function checkDepth(bytes: Uint8Array): void {
  let [next, depth] = [0, 0];
  while (next < bytes.length) {
    depth += step(bytes[next]);
    if (depth > maxDepth) throw invalid(`nested more than ${maxDepth} levels deep`);
    next = endOfToken(bytes, next);
  }
}

/** Throws `Invalid`. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
    checkDepth(bytes);
    return value;
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid(error.message, error);
    throw error;
  }
}

/** The whole document. Bytes must be JSON, here and below. */
export function rootSpan(bytes: Uint8Array): Span {
  const from = skipSpace(bytes, 0);
  return { from, to: endOfValue(bytes, from) };
}

interface Member extends Span {
  readonly key: string;
}

/** What an object or a list holds, in order; keys of a list are empty. Nothing for other values. */
function* members(bytes: Uint8Array, { from }: Span): Generator<Member> {
  const isList = bytes[from] === openList;
  if (!isList && bytes[from] !== openObject) return;
  let next = skipSpace(bytes, from + 1);
  while (bytes[next] !== closeObject && bytes[next] !== closeList) {
    const keyEnd = isList ? next : endOfString(bytes, next);
    const key = isList ? '' : String(parseJson(bytes.subarray(next, keyEnd)));
    const start = isList ? next : skipSpace(bytes, skipSpace(bytes, keyEnd) + 1);
    const to = endOfValue(bytes, start);
    yield { key, from: start, to };
    next = skipSpace(bytes, to);
    if (bytes[next] === comma) next = skipSpace(bytes, next + 1);
  }
}

/** The items of a list. */
export function itemSpans(bytes: Uint8Array, span: Span): readonly Span[] {
  return Array.from(members(bytes, span));
}

/** The values at a path of keys: more than one where a key stands twice. */
export function spansAt(bytes: Uint8Array, span: Span, path: readonly string[]): readonly Span[] {
  const [first, ...rest] = path;
  if (first === undefined) return [span];
  return Array.from(members(bytes, span))
    .filter(({ key }) => key === first)
    .flatMap((member) => spansAt(bytes, member, rest));
}
