import { upstreamText } from '../replica/index.ts';
import { invalid } from './invalid.ts';
import { type Span, isObject, itemSpans, parseJson, rootSpan, spansAt } from './json.ts';
import { type Edit, splice } from './splice.ts';
import type { TranslateVersion } from './types.ts';
import {
  type Path,
  isVersion,
  operationVersionPath,
  patchVersionPaths,
  referencePaths,
  versionPaths,
} from './version-paths.ts';

function editsAt(bytes: Uint8Array, span: Span, translate: TranslateVersion): readonly Edit[] {
  const shown = parseJson(bytes.subarray(span.from, span.to));
  if (!isVersion(shown)) return [];
  const version = translate(shown);
  return version === shown ? [] : [{ ...span, bytes: Buffer.from(JSON.stringify(version)) }];
}

interface Search {
  readonly bytes: Uint8Array;
  readonly translate: TranslateVersion;
}

const editsIn = ({ bytes, translate }: Search, root: Span, paths: readonly Path[]): readonly Edit[] =>
  paths
    .flatMap((path) => spansAt(bytes, root, path))
    .flatMap((span) => editsAt(bytes, span, translate))
    .toSorted((a, b) => a.from - b.from);

/** An object, or a merge patch of one. */
export function translateObject(
  bytes: Uint8Array,
  isPatch: boolean,
  translate: TranslateVersion,
): Uint8Array {
  const object = parseJson(bytes);
  if (!isObject(object)) throw invalid('it is no object');
  const root = rootSpan(bytes);
  const own = editsIn({ bytes, translate }, root, isPatch ? patchVersionPaths : versionPaths(object));
  const references = editsIn({ bytes, translate: upstreamText }, root, isPatch ? [] : referencePaths(object));
  return splice(
    bytes,
    [...own, ...references].toSorted((a, b) => a.from - b.from),
  );
}

/** Source: RFC 6902. */
export function translateJsonPatch(bytes: Uint8Array, translate: TranslateVersion): Uint8Array {
  const operations = parseJson(bytes);
  if (!Array.isArray(operations)) throw invalid('a JSON patch is a list');
  const spans = itemSpans(bytes, rootSpan(bytes));
  const edits = operations.flatMap((operation: unknown, index) => {
    const path = isObject(operation) ? operationVersionPath(operation) : undefined;
    const span = spans[index];
    if (path === undefined || span === undefined) return [];
    return editsIn({ bytes, translate }, span, [['value', ...path]]);
  });
  return splice(bytes, edits);
}
