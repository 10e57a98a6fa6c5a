import type { CoverageSpec } from '../replica/types.ts';
import { selectedName } from './spec.ts';

export interface ExpiryOptions {
  /** How long a coverage that nobody holds is kept, counted while the cloud is in reach, in milliseconds. Default 24 h. */
  readonly unusedMs?: number;
  /** The same for single config maps and secrets, which go with the pods that name them. Default 10 minutes. */
  readonly unusedConfigMs?: number;
}

const config: ReadonlySet<string> = new Set(['v1/configmaps', 'v1/secrets']);
const day = 24 * 3_600_000;

export function lifetimeMs(spec: CoverageSpec, options: ExpiryOptions): number {
  const single = config.has(spec.resource) && selectedName(spec) !== undefined;
  return single ? (options.unusedConfigMs ?? 600_000) : (options.unusedMs ?? day);
}

/** How often the time is written down at most, to spare flash. */
const hour = 3_600_000;

/** How long a coverage has been without a holder. */
export class Idleness {
  readonly #lifetimeMs: number;
  #unusedMs: number;
  #savedMs: number;

  constructor(lifetime: number, unusedMs: number) {
    this.#lifetimeMs = lifetime;
    this.#unusedMs = unusedMs;
    this.#savedMs = unusedMs;
  }

  get unusedMs(): number {
    return this.#unusedMs;
  }

  get expired(): boolean {
    return this.#unusedMs >= this.#lifetimeMs;
  }

  /** It is in use. */
  reset(): void {
    this.#unusedMs = 0;
  }

  pass(ms: number): void {
    this.#unusedMs += ms;
  }

  /** What is to be written down, if it is another one than is written already. */
  toSave(): number | undefined {
    const piece = Math.max(hour, this.#lifetimeMs / 24);
    const coarse = Math.floor(this.#unusedMs / piece) * piece;
    if (coarse === this.#savedMs) return undefined;
    this.#savedMs = coarse;
    return coarse;
  }
}
