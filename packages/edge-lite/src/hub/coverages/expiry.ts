import type { CoverageSpec } from '../replica/types.ts';
import { selectedName } from './spec.ts';

export interface ExpiryOptions {
  /** How long a coverage that nobody holds is kept, counted while the cloud is in reach, in milliseconds. Default 24 h. */
  readonly unusedMs?: number;
  /** The same for single config maps and secrets, which go with the pods that name them. Default 10 minutes. */
  readonly unusedConfigMs?: number;
  /** The same for those that were held for less than a minute in all: somebody looked once. Default 10 minutes. */
  readonly unusedBriefMs?: number;
}

export interface Lifetimes {
  readonly unusedMs: number;
  readonly unusedBriefMs: number;
}

const config: ReadonlySet<string> = new Set(['v1/configmaps', 'v1/secrets']);
const day = 24 * 3_600_000;

export function lifetimesOf(spec: CoverageSpec, options: ExpiryOptions): Lifetimes {
  const single = config.has(spec.resource) && selectedName(spec) !== undefined;
  const unusedMs = single ? (options.unusedConfigMs ?? 600_000) : (options.unusedMs ?? day);
  return { unusedMs, unusedBriefMs: Math.min(unusedMs, options.unusedBriefMs ?? 600_000) };
}

/** How often the time is written down at most, to spare flash. */
const hour = 3_600_000;
/** Held for less in all, it was looked at and not followed. */
const followedMs = 60_000;

/** What is remembered of the use of a coverage. */
export interface Use {
  /** How long nobody has held it, in milliseconds. */
  readonly unusedMs: number;
  /** Whether it was held for longer than a look takes. */
  readonly followed: boolean;
}

/** How long a coverage has been without a holder. */
export class Idleness implements Use {
  readonly #lifetimes: Lifetimes;
  #unusedMs: number;
  #usedMs: number;
  #saved: Use;

  constructor(lifetimes: Lifetimes, use: Use) {
    this.#lifetimes = lifetimes;
    this.#unusedMs = use.unusedMs;
    this.#usedMs = use.followed ? followedMs : 0;
    this.#saved = use;
  }

  get unusedMs(): number {
    return this.#unusedMs;
  }

  get followed(): boolean {
    return this.#usedMs >= followedMs;
  }

  get expired(): boolean {
    const { unusedMs, unusedBriefMs } = this.#lifetimes;
    return this.#unusedMs >= (this.followed ? unusedMs : unusedBriefMs);
  }

  /** It is in use; `heldMs`: for how long already, by the one who has held it longest. */
  reset(heldMs = 0): void {
    this.#unusedMs = 0;
    if (heldMs >= followedMs) this.#usedMs = followedMs;
  }

  /** Somebody who held it for so long has gone. */
  used(ms: number): void {
    this.#usedMs += ms;
  }

  pass(ms: number): void {
    this.#unusedMs += ms;
  }

  /** What is to be written down, coarse, if it is another than is written already. */
  toSave(): Use | undefined {
    const piece = Math.max(hour, this.#lifetimes.unusedMs / 24);
    const coarse = Math.floor(this.#unusedMs / piece) * piece;
    if (coarse === this.#saved.unusedMs && this.followed === this.#saved.followed) return undefined;
    this.#saved = { unusedMs: coarse, followed: this.followed };
    return this.#saved;
  }
}
