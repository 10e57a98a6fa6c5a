import { isMap, isScalar } from 'yaml';
import { upstreamText } from '../replica/index.ts';
import { invalid } from './invalid.ts';
import { type Edit, splice } from './splice.ts';
import type { TranslateVersion } from './types.ts';
import { isVersion, referencePaths, versionPaths } from './version-paths.ts';
import { yamlDocument, yamlText } from './yaml.ts';

/** An object in YAML: only the version's own characters change. */
export function translateYaml(bytes: Uint8Array, translate: TranslateVersion): Uint8Array {
  const text = yamlText(bytes);
  if (!text.includes('resourceVersion')) return bytes;
  const document = yamlDocument(text);
  if (!isMap(document.contents)) throw invalid('it is no object');
  const kind = { kind: document.get('kind') };
  const places = [
    ...versionPaths(kind).map((path) => [path, translate] as const),
    ...referencePaths(kind).map((path) => [path, upstreamText] as const),
  ];
  const edits = places.flatMap(([path, translated]): readonly Edit[] => {
    const node = document.getIn(path, true);
    if (!isScalar(node) || !isVersion(node.value) || !node.range) return [];
    const [start, end] = node.range;
    const from = Buffer.byteLength(text.slice(0, start));
    const to = from + Buffer.byteLength(text.slice(start, end));
    const version = translated(node.value);
    return version === node.value ? [] : [{ from, to, bytes: Buffer.from(JSON.stringify(version)) }];
  });
  return splice(
    bytes,
    edits.toSorted((a, b) => a.from - b.from),
  );
}
