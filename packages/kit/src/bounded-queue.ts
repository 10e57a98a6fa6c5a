import { raceAbort } from './scope.ts';

/** What happens to the oldest or the new item when a queue is full. */
export type Overflow = 'reject-new' | 'drop-oldest';

export interface BoundedQueueOptions {
  readonly capacity: number;
  /** Default `reject-new`. */
  readonly overflow?: Overflow;
}

/** A first-in-first-out queue with a cap. One reader at a time. */
export interface BoundedQueue<T> {
  readonly size: number;
  /** How many items the cap has cost so far. */
  readonly dropped: number;
  /** False if `item` was refused because the queue is full or closed. */
  push(item: T): boolean;
  /** Waits for an item; `undefined` once the queue is closed and empty. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<T | undefined>;
  /** Refuses further items; those already queued can still be taken. */
  close(): void;
}

export function createBoundedQueue<T>(options: BoundedQueueOptions): BoundedQueue<T> {
  const items: T[] = [];
  let head = 0;
  let dropped = 0;
  let closed = false;
  let wake: (() => void) | undefined;
  const size = (): number => items.length - head;
  const shift = (): T | undefined => {
    const item = items[head];
    head += 1;
    if (head > 64 && head * 2 > items.length) {
      items.splice(0, head);
      head = 0;
    }
    return item;
  };
  const notify = (): void => {
    wake?.();
    wake = undefined;
  };
  return {
    get size() {
      return size();
    },
    get dropped() {
      return dropped;
    },
    push(item) {
      if (closed) return false;
      if (size() >= options.capacity) {
        dropped += 1;
        if (options.overflow !== 'drop-oldest') return false;
        shift();
      }
      items.push(item);
      notify();
      return true;
    },
    async take(signal) {
      while (size() === 0) {
        if (closed) return undefined;
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await raceAbort(promise, signal);
      }
      signal.throwIfAborted();
      return shift();
    },
    close() {
      closed = true;
      notify();
    },
  };
}
