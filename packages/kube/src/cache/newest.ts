import { BoundedMap } from '@selvedge/kit';
import { type KubeObject, compareResourceVersions, keyOf } from '../object.ts';
import type { ObjectReader } from './store.ts';

/** A store as its writer sees it: what was just written may be newer than what the watch has brought. */
export interface Newest<T> {
  /** By `keyOf`. */
  get(key: string): T | undefined;
  /** The answer to a write. */
  wrote(object: T): void;
  /** What was written does not count any more: the object is gone, or another wrote as well. */
  forget(key: string): void;
}

/**
 * Keeps the answers to writes until the store has them, at most `capacity`: one that is forgotten early costs a write that
 * changes nothing.
 */
export function createNewest<T extends KubeObject>(
  { capacity }: { readonly capacity: number },
  reader: Pick<ObjectReader<T>, 'get' | 'resourceVersion'>,
): Newest<T> {
  const written = new BoundedMap<string, T>({ capacity });
  const versionOf = ({ metadata }: T): string => metadata.resourceVersion ?? '';
  return {
    get(key) {
      const [seen, mine] = [reader.get(key), written.get(key)];
      if (mine === undefined) return seen;
      // The store has all that happened until then: what it does not have by now is gone.
      const known = seen === undefined ? reader.resourceVersion : versionOf(seen);
      if (compareResourceVersions(known, versionOf(mine)) < 0) return mine;
      written.delete(key);
      return seen;
    },
    wrote: (object) => written.set(keyOf(object), object),
    forget: (key) => void written.delete(key),
  };
}
