import type { Logger } from '@selvedge/kit';

/** Callbacks by topic. One that throws is logged and does not keep the others from being told. */
export class Subscriptions<K, T> {
  readonly #listeners = new Map<K, Set<(value: T) => void>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  add(topic: K, listener: (value: T) => void): Disposable {
    const known = this.#listeners.get(topic) ?? new Set();
    /** A function of its own: the same listener may be added twice. */
    const own = (value: T): void => listener(value);
    this.#listeners.set(topic, known.add(own));
    return {
      [Symbol.dispose]: () => {
        known.delete(own);
      },
    };
  }

  tell(topic: K, value: T): void {
    for (const listener of this.#listeners.get(topic) ?? []) {
      try {
        listener(value);
      } catch (error) {
        this.#log.error('a subscriber failed', { error });
      }
    }
  }
}
