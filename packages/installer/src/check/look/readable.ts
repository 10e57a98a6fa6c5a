import { hasCode } from '@selvedge/kit';

/** Reads what the person may read, and remembers what not. */
export interface Reading {
  readonly unreadable: readonly string[];
  /** `fallback` if it may not be read, or there is no such thing. */
  read<T>(what: string, fallback: T, work: () => Promise<T>): Promise<T>;
}

export function createReading(): Reading {
  const unreadable: string[] = [];
  return {
    unreadable,
    async read(what, fallback, work) {
      try {
        return await work();
      } catch (error) {
        if (!hasCode(error, 'Forbidden', 'NotFound')) throw error;
        if (error.code === 'Forbidden') unreadable.push(what);
        return fallback;
      }
    },
  };
}
