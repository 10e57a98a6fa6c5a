import { SelvedgeError, raceAbort } from '../index.ts';

/** Those that wait until something fits, in turn: of one user nobody overtakes another. */
export interface Turns {
  /** Resolves once `fits` takes what it wants. Rejects with `ResourceExhausted` when too many wait. */
  wait(user: string, fits: () => boolean, signal: AbortSignal): Promise<void>;
  /** Something may fit now. */
  again(): void;
}

interface Waiter {
  readonly user: string;
  readonly fits: () => boolean;
  readonly admit: () => void;
}

export function createTurns({ what, capacity }: { readonly what: string; readonly capacity: number }): Turns {
  const waiting = new Set<Waiter>();
  const again = (): void => {
    const behind = new Set<string>();
    for (const waiter of waiting) {
      if (behind.has(waiter.user)) continue;
      if (waiter.fits()) {
        waiting.delete(waiter);
        waiter.admit();
      } else behind.add(waiter.user);
    }
  };
  return {
    again,
    async wait(user, fits, signal) {
      signal.throwIfAborted();
      const isBehind = waiting.values().some((other) => other.user === user);
      if (!isBehind && fits()) return;
      if (waiting.size >= capacity) {
        const details = { retryAfterSeconds: 1 };
        throw new SelvedgeError(`too many wait for ${what}`, { code: 'ResourceExhausted', details });
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      const waiter = { user, fits, admit: resolve };
      waiting.add(waiter);
      try {
        await raceAbort(promise, signal);
      } finally {
        // Where this one gave up, those behind it may fit.
        if (waiting.delete(waiter)) again();
      }
    },
  };
}
