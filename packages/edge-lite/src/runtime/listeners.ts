import type { Logger } from '@selvedge/kit';

/** Callbacks that want to hear of something. One that throws does not keep the others from hearing. */
export interface Listeners<T> {
  readonly tell: (what: T) => void;
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
      const own = (what: T): void => {
        listener(what);
      };
      listeners.add(own);
      return { [Symbol.dispose]: () => void listeners.delete(own) };
    },
  };
}
