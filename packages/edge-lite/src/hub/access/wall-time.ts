import { type Clock, isPlausibleNow } from '@selvedge/kit';
import type { RuntimeKind, RuntimeRepository } from '../../store/index.ts';

export interface WallTimeDeps {
  readonly runtime: RuntimeRepository;
  readonly clock: Pick<Clock, 'now'>;
  /** Only then is the clock taken to be right, so that a wrong one leaves no mark. */
  readonly online: () => boolean;
}

/** Milliseconds since the epoch. */
const seenKind: RuntimeKind<number> = { name: 'hub-latest-time' };
const seenKey = 'latest';
/** How often it is written at most. */
const rewriteMs = 3_600_000;

/**
 * What time it is, as far as the clock can be believed. A power cut may take it back to 1970, or to when the machine was
 * last shut down: to it every credential made since is of the future.
 */
export class WallTime {
  readonly #deps: WallTimeDeps;
  #seenMs = 0;
  #savedMs = 0;

  constructor(deps: WallTimeDeps) {
    this.#deps = deps;
  }

  load(): void {
    this.#savedMs = this.#deps.runtime.get(seenKind, seenKey) ?? 0;
    this.#seenMs = this.#savedMs;
  }

  /** Now, in milliseconds since the epoch, and not before a time that has been. */
  nowMs(): number {
    return Math.max(this.look(), this.#seenMs);
  }

  /** False: the clock is behind, and what seems to be of the future may be of today. */
  isPlausible(): boolean {
    return isPlausibleNow(this.look(), this.#seenMs);
  }

  /** What the clock says, which is remembered. To be called now and then. */
  look(): number {
    const now = this.#deps.clock.now();
    if (now <= this.#seenMs || !this.#deps.online()) return now;
    this.#seenMs = now;
    if (now - this.#savedMs >= rewriteMs) {
      this.#savedMs = now;
      this.#deps.runtime.put(seenKind, { key: seenKey, document: now }, { durable: false });
    }
    return now;
  }
}
