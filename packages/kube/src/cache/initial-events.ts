import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject } from '../object.ts';
import type { WatchEvent } from '../watch/event.ts';
import type { Replacement } from './replacement.ts';

/** The end of a streaming list, and the events that came after it. */
export interface InitialEnd<T> {
  readonly resourceVersion: string;
  readonly rest: readonly WatchEvent<T>[];
}

/** Passes the objects of a streaming list on as they come, until the bookmark that ends it. Holds none of them. */
export class InitialEvents<T extends KubeObject> {
  readonly #maxObjects: number;
  readonly #target: Pick<Replacement<T>, 'add' | 'remove'>;
  #size = 0;

  constructor(options: { readonly maxObjects: number }, target: Pick<Replacement<T>, 'add' | 'remove'>) {
    this.#maxObjects = options.maxObjects;
    this.#target = target;
  }

  /** The end of the list once it has come. Throws `ResourceExhausted` beyond the cap. */
  async take(events: readonly WatchEvent<T>[]): Promise<InitialEnd<T> | undefined> {
    let added: T[] = [];
    for (const [at, event] of events.entries()) {
      if (event.type === 'DELETED') {
        await this.#add(added);
        added = [];
        this.#size -= 1;
        await this.#target.remove([event.object]);
      } else if (event.type !== 'BOOKMARK') {
        if (event.type === 'ADDED') this.#size += 1;
        added.push(event.object);
      } else if (event.endOfInitialEvents) {
        await this.#add(added);
        return { resourceVersion: event.resourceVersion, rest: events.slice(at + 1) };
      }
    }
    await this.#add(added);
    return undefined;
  }

  async #add(objects: readonly T[]): Promise<void> {
    if (this.#size > this.#maxObjects) {
      const message = `the list has more than ${this.#maxObjects} objects`;
      throw new SelvedgeError(message, { code: 'ResourceExhausted' });
    }
    if (objects.length > 0) await this.#target.add(objects);
  }
}
