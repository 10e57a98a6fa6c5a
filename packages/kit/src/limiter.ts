import { raceAbort } from './scope.ts';

export interface LimiterOptions {
  /** How much runs at a time. */
  readonly capacity: number;
}

/** Lets so much run at a time; the rest waits in the order in which it came. */
export interface Limiter {
  readonly running: number;
  readonly waiting: number;
  /** Runs `work` when it is its turn. Rejects with the signal's reason if that comes first. */
  run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

export function createLimiter(options: LimiterOptions): Limiter {
  const queue = new Set<() => void>();
  let running = 0;
  const release = (): void => {
    const [next] = queue;
    if (next === undefined) {
      running -= 1;
      return;
    }
    queue.delete(next);
    next();
  };
  const turn = async (signal: AbortSignal): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    queue.add(resolve);
    try {
      await raceAbort(promise, signal);
    } catch (error) {
      // The turn may have come in the same moment: then it is passed on.
      if (!queue.delete(resolve)) release();
      throw error;
    }
  };
  return {
    get running() {
      return running;
    },
    get waiting() {
      return queue.size;
    },
    async run(signal, work) {
      signal.throwIfAborted();
      if (running < options.capacity) running += 1;
      else await turn(signal);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
