import { isDeepStrictEqual } from 'node:util';
import { invalidPatch } from './invalid-patch.ts';
import { type JsonObject, isList, isObject, memberOf } from './json-value.ts';

/** The API server's own. */
const maxOperations = 10_000;
/** Of all values together that a patch copies, in characters of JSON: what the API server takes as a body. */
const maxCopiedChars = 3 * 1024 * 1024;
const maxPathLength = 100;

/** Source: RFC 6901. */
function tokensOf(pointer: unknown): readonly string[] {
  if (pointer === '') return [];
  if (typeof pointer !== 'string' || !pointer.startsWith('/'))
    throw invalidPatch(`${JSON.stringify(pointer)} is no path`);
  const tokens = pointer.slice(1).split('/');
  if (tokens.length > maxPathLength) throw invalidPatch(`a path has more than ${maxPathLength} parts`);
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Among `size` places; negative ones count from the end, as the API server allows it. */
function indexOf(token: string, size: number): number {
  const index = /^-?\d+$/.test(token) ? Number(token) : Number.NaN;
  const at = index < 0 ? index + size : index;
  if (at >= 0 && at < size) return at;
  throw invalidPatch(`a list has no place ${token}`);
}

function child(node: unknown, token: string): unknown {
  if (isList(node)) return node[indexOf(token, node.length)];
  if (isObject(node)) return memberOf(node, token);
  throw invalidPatch(`nothing holds ${JSON.stringify(token)}`);
}

function put(node: unknown, token: string, value: unknown): unknown {
  if (isList(node)) return node.with(indexOf(token, node.length), value);
  if (isObject(node)) return { ...node, [token]: value };
  throw invalidPatch(`nothing holds ${JSON.stringify(token)}`);
}

function add(node: unknown, token: string, value: unknown): unknown {
  if (!isList(node)) return put(node, token, value);
  return node.toSpliced(token === '-' ? node.length : indexOf(token, node.length + 1), 0, value);
}

function remove(node: unknown, token: string): unknown {
  if (isList(node)) return node.toSpliced(indexOf(token, node.length), 1);
  if (!isObject(node) || !Object.hasOwn(node, token))
    throw invalidPatch(`there is no ${JSON.stringify(token)} to be removed`);
  const { [token]: _, ...rest } = node;
  return rest;
}

type Edit = (node: unknown, token: string) => unknown;

/** The document with what is at the path edited, from the value that holds it. */
function edited(node: unknown, tokens: readonly string[], edit: Edit): unknown {
  const [token, ...rest] = tokens;
  if (token === undefined) throw invalidPatch('the whole object cannot be changed so');
  if (rest.length === 0) return edit(node, token);
  return put(node, token, edited(child(node, token), rest, edit));
}

/** Undefined if the last part of the path is not there. */
const at = (document: unknown, tokens: readonly string[]): unknown => tokens.reduce(child, document);

const adding =
  (value: unknown): Edit =>
  (node, token) =>
    add(node, token, value);

interface Operation {
  readonly path: readonly string[];
  /** Of a `move` and a `copy`. */
  readonly from: readonly string[];
  readonly value: unknown;
}

type Apply = (document: unknown, operation: Operation) => unknown;

const replace: Apply = (document, { path, value }) =>
  path.length === 0 ? value : edited(document, path, (node, token) => put(node, token, value));

const test: Apply = (document, { path, value }) => {
  if (isDeepStrictEqual(at(document, path) ?? null, value)) return document;
  throw invalidPatch(`the value at /${path.join('/')} is another one`);
};

const operations: Readonly<Record<string, Apply>> = {
  add: (document, { path, value }) => edited(document, path, adding(value)),
  copy: (document, { path, from }) => edited(document, path, adding(at(document, from) ?? null)),
  move: (document, { path, from }) =>
    edited(edited(document, from, remove), path, adding(at(document, from))),
  remove: (document, { path }) => edited(document, path, remove),
  replace,
  test,
};

function applyOne(document: unknown, { op, path, from, value = null }: JsonObject): unknown {
  const apply = typeof op === 'string' && Object.hasOwn(operations, op) ? operations[op] : undefined;
  if (apply === undefined) throw invalidPatch(`there is no operation ${JSON.stringify(op)}`);
  return apply(document, { path: tokensOf(path), from: tokensOf(from ?? ''), value });
}

const copiedChars = (document: unknown, { op, from }: JsonObject): number =>
  op === 'copy' ? JSON.stringify(at(document, tokensOf(from)) ?? null).length : 0;

/** Source: RFC 6902, as the API server applies it. */
export function jsonPatched(object: unknown, patch: unknown): unknown {
  if (!isList(patch)) throw invalidPatch('a JSON patch is a list');
  if (patch.length > maxOperations) throw invalidPatch(`it has more than ${maxOperations} operations`);
  let [document, copied] = [object, 0];
  for (const operation of patch) {
    if (!isObject(operation)) throw invalidPatch('an operation is an object');
    copied += copiedChars(document, operation);
    if (copied > maxCopiedChars) throw invalidPatch('it copies too much');
    document = applyOne(document, operation);
  }
  return document;
}
