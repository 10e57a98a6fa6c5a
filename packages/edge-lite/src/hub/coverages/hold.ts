import type { CoverageSpec } from '../replica/types.ts';
import type { Caller } from '../request.ts';
import type { ListWatchCoverage } from './list-watch.ts';
import type { CoverageHold, Wish } from './types.ts';

export interface HoldParts {
  readonly coverage: ListWatchCoverage;
  /** What was asked for; the coverage may be wider. */
  readonly wish: Wish;
  /** When it began, on the monotonic clock. */
  readonly sinceMs: number;
  readonly left: (hold: Hold) => void;
}

/** A reader of a coverage. */
export class Hold implements CoverageHold, Wish {
  readonly #parts: HoldParts;
  readonly #revoked = new AbortController();

  constructor(parts: HoldParts) {
    this.#parts = parts;
  }

  get coverage(): ListWatchCoverage {
    return this.#parts.coverage;
  }

  get spec(): CoverageSpec {
    return this.#parts.wish.spec;
  }

  get caller(): Caller {
    return this.#parts.wish.caller;
  }

  get verb(): Wish['verb'] {
    return this.#parts.wish.verb;
  }

  get sinceMs(): number {
    return this.#parts.sinceMs;
  }

  get revoked(): AbortSignal {
    return this.#revoked.signal;
  }

  revoke(error: unknown): void {
    this.#revoked.abort(error);
  }

  [Symbol.dispose](): void {
    this.#parts.left(this);
  }
}
