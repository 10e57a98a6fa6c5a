import type { Logger } from './log.ts';

/** Callbacks that want to hear of something, in the order in which they came. */
export interface Listeners<T> {
  /** One that throws is logged and does not keep the others from hearing. */
  readonly tell: (what: T) => void;
  /** The same function may be added twice. Disposing is idempotent. */
  readonly add: (listener: (what: T) => void) => Disposable;
}

export function createListeners<T>(log: Logger): Listeners<T> {
  const listeners = new Set<(what: T) => void>();
  return {
    tell(what) {
      for (const listener of listeners) {
        try {
          listener(what);
        } catch (error) {
          log.error('listener failed', { error });
        }
      }
    },
    add(listener) {
      const own = (what: T): void => listener(what);
      listeners.add(own);
      return { [Symbol.dispose]: () => void listeners.delete(own) };
    },
  };
}
