import { SelvedgeError } from '@selvedge/kit';
import { keyOf, type KubeObject } from '../object.ts';
import type { WatchEvent } from '../watch/event.ts';

/** A streaming list that is complete, and the events that came after its end. */
export interface InitialList<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly rest: readonly WatchEvent<T>[];
}

/** Collects the objects of a streaming list until the bookmark that ends it. */
export class InitialEvents<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #maxObjects: number;

  constructor(options: { readonly maxObjects: number }) {
    this.#maxObjects = options.maxObjects;
  }

  /** The list once it is complete. Throws `ResourceExhausted` beyond the cap. */
  take(events: readonly WatchEvent<T>[]): InitialList<T> | undefined {
    for (const [at, event] of events.entries()) {
      if (event.type !== 'BOOKMARK') {
        this.#put(event.type, event.object);
      } else if (event.endOfInitialEvents) {
        const { resourceVersion } = event;
        return { items: [...this.#objects.values()], resourceVersion, rest: events.slice(at + 1) };
      }
    }
    return undefined;
  }

  #put(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void {
    if (type === 'DELETED') {
      this.#objects.delete(keyOf(object));
      return;
    }
    this.#objects.set(keyOf(object), object);
    if (this.#objects.size > this.#maxObjects) {
      const message = `the list has more than ${this.#maxObjects} objects`;
      throw new SelvedgeError(message, { code: 'ResourceExhausted' });
    }
  }
}
