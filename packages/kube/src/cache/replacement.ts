import { keyOf, type KubeObject } from '../object.ts';

/** The whole truth, handed to a store piece by piece. Ends with `commit` or `abandon`. */
export interface Replacement<T> {
  /** Objects of the list; one that comes twice counts as it came last. */
  add(objects: readonly T[]): void | Promise<void>;
  /** Of those that were added, some that went while the list was taken: a streaming list goes on meanwhile. */
  remove(objects: readonly T[]): void | Promise<void>;
  /** The list is complete and true at `resourceVersion`: what was not added is gone. */
  commit(resourceVersion: string): void | Promise<void>;
  /** The list broke off: it proves nothing of what is missing in it. */
  abandon(): void;
}

/** Gathers the pieces in memory, for a store that wants to take them at once. */
export function gatherReplacement<T extends KubeObject>(
  commit: (objects: readonly T[], resourceVersion: string) => void | Promise<void>,
): Replacement<T> {
  const gathered = new Map<string, T>();
  return {
    add(objects) {
      for (const object of objects) gathered.set(keyOf(object), object);
    },
    remove(objects) {
      for (const object of objects) gathered.delete(keyOf(object));
    },
    commit: (resourceVersion) => commit([...gathered.values()], resourceVersion),
    abandon: () => gathered.clear(),
  };
}
