import type { Clock } from '@selvedge/kit';
import { type Sample, type WindowLimits, nextWindow } from './window.ts';

export interface WindowsDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Asks the other end for an answer, and calls back when it is there. */
  readonly ping: (answered: () => void) => void;
  /** Tells the other end the window of all streams, and calls back when it has taken note. */
  readonly announce: (windowBytes: number, noted: () => void) => void;
}

/** How long a rate counts. A line may become another: a longer one, or one that others share. */
const rateAgeMs = 30_000;

/**
 * Measures what readers take in a round trip, and lets the windows of a session's streams follow. A sample begins with the
 * bytes that started it: all of a small window may come at once, and then nothing before the answer to the ping.
 */
export class Windows {
  readonly #limits: WindowLimits;
  readonly #deps: WindowsDeps;
  #streams = 0;
  #windowBytes: number;
  /** What the other end was told last; it may not have answered yet. */
  #announcedBytes: number;
  #announcing = false;
  #sampling = false;
  /** Since the last sample; of this one while there is one. */
  #takenBytes = 0;
  #grown = { bytesPerMs: 0, atMs: 0 };

  constructor(limits: WindowLimits, deps: WindowsDeps) {
    this.#limits = limits;
    this.#deps = deps;
    this.#windowBytes = limits.streamWindowBytes;
    this.#announcedBytes = limits.streamWindowBytes;
  }

  /** The window of each stream. */
  get bytes(): number {
    return this.#windowBytes;
  }

  /** So many streams are open now. */
  share(streams: number): void {
    this.#streams = streams;
    this.#resize();
  }

  /** A reader took so much. */
  take(bytes: number): void {
    this.#takenBytes += bytes;
    if (this.#sampling || this.#takenBytes * 4 < this.#windowBytes) return;
    if (this.#windowBytes >= this.#limits.maxStreamWindowBytes) return;
    const { clock, ping } = this.#deps;
    this.#takenBytes = bytes;
    this.#sampling = true;
    const begunMs = clock.monotonicMs();
    ping(() => {
      const elapsedMs = Math.max(1, clock.monotonicMs() - begunMs);
      const sample = { bytes: this.#takenBytes, bytesPerMs: this.#takenBytes / elapsedMs };
      this.#sampling = false;
      this.#takenBytes = 0;
      this.#resize(sample);
    });
  }

  #resize(sample?: Sample): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const grownAtBytesPerMs = nowMs - this.#grown.atMs < rateAgeMs ? this.#grown.bytesPerMs : 0;
    const [before, streams] = [this.#windowBytes, this.#streams];
    const next = nextWindow({ windowBytes: before, streams, sample, grownAtBytesPerMs }, this.#limits);
    this.#windowBytes = next;
    if (next > before && sample !== undefined) this.#grown = { bytesPerMs: sample.bytesPerMs, atMs: nowMs };
    if (next < before) this.#grown = { bytesPerMs: 0, atMs: nowMs };
    this.#announce();
  }

  /** Node ends a session that has more than ten SETTINGS unanswered: one is under way, and the latest window follows. */
  #announce(): void {
    const next = this.#windowBytes;
    if (this.#announcing || next === this.#announcedBytes) return;
    this.#announcing = true;
    this.#announcedBytes = next;
    this.#deps.announce(next, () => {
      this.#announcing = false;
      this.#announce();
    });
  }
}
