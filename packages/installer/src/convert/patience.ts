import { type Clock, SelvedgeError } from '@selvedge/kit';

/** What does not mend itself, and need not be waited for to the end of a node's time. */
export interface Fault {
  readonly what: string;
  readonly hint: string;
}

/** Waits for a fault to go for a while. */
export interface Patience {
  /** What it is. Throws it as `Conflict` once it was met for so long. */
  meet(fault: Fault): readonly string[];
  /** It is gone: met again, it is given as much time again. */
  forget(what: Fault['what']): void;
}

/** How long a fault may last. */
const faultMs = 30_000;

export function createPatience(clock: Clock): Patience {
  const sinceMs = new Map<string, number>();
  return {
    meet({ what, hint }) {
      const nowMs = clock.monotonicMs();
      const metMs = sinceMs.get(what) ?? nowMs;
      sinceMs.set(what, metMs);
      if (nowMs - metMs < faultMs) return [what];
      throw new SelvedgeError(what, { code: 'Conflict', hint });
    },
    forget(what) {
      sinceMs.delete(what);
    },
  };
}
