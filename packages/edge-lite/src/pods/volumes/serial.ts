/** Runs work of the same key one after another, of different keys side by side. */
export interface Serial {
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createSerial(): Serial {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async run(key, work) {
      const before = tails.get(key);
      const own = (before ?? Promise.resolve()).then(work);
      const tail = own.catch(() => undefined);
      tails.set(key, tail);
      try {
        return await own;
      } finally {
        if (tails.get(key) === tail) tails.delete(key);
      }
    },
  };
}
