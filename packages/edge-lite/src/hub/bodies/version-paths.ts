import type { JsonObject } from './json.ts';

export type Path = readonly string[];

const ofObject: Path = ['metadata', 'resourceVersion'];
const ofOptions: Path = ['preconditions', 'resourceVersion'];

/** Where an object of this kind names versions that the server compares. Options come without a kind too. */
export function versionPaths({ kind }: JsonObject): readonly Path[] {
  if (kind === 'Eviction') return [ofObject, ['deleteOptions', ...ofOptions]];
  if (kind === 'DeleteOptions' || kind === undefined) return [ofObject, ofOptions];
  return [ofObject];
}

/**
 * Where an object of this kind tells which version of another one it is about. Nobody compares them, so that what upstream
 * would have said is good enough.
 */
export function referencePaths({ kind }: JsonObject): readonly Path[] {
  if (kind !== 'Event') return [];
  return ['involvedObject', 'regarding', 'related'].map((field) => [field, 'resourceVersion']);
}

/** Where a merge patch of either kind does. */
export const patchVersionPaths: readonly Path[] = [ofObject];

/** Where the value of an operation of a JSON patch does. */
export function operationVersionPath({ path }: JsonObject): Path | undefined {
  if (path === '/metadata/resourceVersion') return [];
  if (path === '/metadata') return ['resourceVersion'];
  return path === '' ? ofObject : undefined;
}

/** Neither says anything about a version. */
export const isVersion = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value !== '0';
