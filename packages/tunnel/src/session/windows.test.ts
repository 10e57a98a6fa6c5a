import { describe, expect, it } from 'vitest';
import { Windows } from './windows.ts';

const kib = 1024;
const mib = 1024 * kib;
const frameBytes = 16 * kib;

interface LineOptions {
  readonly roundTripMs: number;
  readonly bytesPerMs: number;
  readonly streamWindowBytes: number;
}

interface Due {
  readonly atMs: number;
  readonly happen: () => void;
}

/**
 * A stream over a line, on a clock of its own: its sender always has something to send, its reader takes at once, and the
 * room is told to the sender when half of the window has been read, as nghttp2 does.
 */
class Line {
  readonly windows: Windows;
  readonly #options: LineOptions;
  /** What is on its way to either end, in order. */
  readonly #ways: readonly [Due[], Due[]] = [[], []];
  #nowMs = 0;
  /** When the sender's side of the line is free again. */
  #freeMs = 0;
  #room: number;
  #windowBytes: number;
  #unacknowledged = 0;
  received = 0;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#room = options.streamWindowBytes;
    this.#windowBytes = options.streamWindowBytes;
    const limits = { ...options, maxStreamWindowBytes: 24 * mib, maxSessionBytes: 32 * mib };
    this.windows = new Windows(limits, {
      clock: { monotonicMs: () => this.#nowMs },
      // The answer is behind what the line has taken already.
      ping: (answered) => this.#toSender(() => this.#fromSender(0, answered)),
      announce: (bytes, noted) =>
        this.#toSender(() => {
          this.#grant(bytes - this.#windowBytes);
          this.#windowBytes = bytes;
          this.#fromSender(0, noted);
        }),
    });
    this.windows.share(1);
    this.#grant(0);
  }

  run(forMs: number): number {
    const [untilMs, before] = [this.#nowMs + forMs, this.received];
    for (;;) {
      const [way] = this.#ways.toSorted((a, b) => (a[0]?.atMs ?? Infinity) - (b[0]?.atMs ?? Infinity));
      if ((way?.[0]?.atMs ?? Infinity) > untilMs) break;
      const next = way?.shift();
      if (next === undefined) break;
      this.#nowMs = next.atMs;
      next.happen();
    }
    this.#nowMs = untilMs;
    return (this.received - before) / forMs;
  }

  #toSender(happen: () => void): void {
    this.#ways[0].push({ atMs: this.#nowMs + this.#options.roundTripMs / 2, happen });
  }

  #fromSender(bytes: number, happen: () => void): void {
    this.#freeMs = Math.max(this.#freeMs, this.#nowMs) + bytes / this.#options.bytesPerMs;
    this.#ways[1].push({ atMs: this.#freeMs + this.#options.roundTripMs / 2, happen });
  }

  #grant(bytes: number): void {
    this.#room += bytes;
    while (this.#room > 0) {
      const size = Math.min(frameBytes, this.#room);
      this.#room -= size;
      this.#fromSender(size, () => this.#read(size));
    }
  }

  #read(bytes: number): void {
    this.received += bytes;
    this.#unacknowledged += bytes;
    this.windows.take(bytes);
    if (this.#unacknowledged * 2 < this.windows.bytes) return;
    const room = this.#unacknowledged;
    this.#unacknowledged = 0;
    this.#toSender(() => this.#grant(room));
  }
}

const gigabit = 125_000;

describe('the windows of a session', () => {
  const starts = [16 * kib, 64 * kib, 256 * kib];
  const roundTrips = [1, 10, 40, 100, 200];
  const cases = starts.flatMap((start) => roundTrips.map((roundTripMs) => [start, roundTripMs] as const));
  it.each(cases)(
    'that begin with %d bytes fill a gigabit with a round trip of %d ms',
    (start, roundTripMs) => {
      const line = new Line({ roundTripMs, bytesPerMs: gigabit, streamWindowBytes: start });
      line.run(20 * roundTripMs);
      // Half of 24 MiB is on its way in 100 ms.
      const most = Math.min(gigabit, (12 * mib) / roundTripMs);
      expect(line.run(10 * roundTripMs)).toBeGreaterThan(0.85 * most);
    },
  );

  it('reach their cap within seven round trips', () => {
    const line = new Line({ roundTripMs: 100, bytesPerMs: gigabit, streamWindowBytes: 256 * kib });
    line.run(110);
    expect(line.windows.bytes).toBe(256 * kib);
    line.run(590);
    expect(line.windows.bytes).toBe(24 * mib);
  });

  it('grow no further where the line is full, however long it makes a round trip', () => {
    const line = new Line({ roundTripMs: 20, bytesPerMs: 1_000, streamWindowBytes: 256 * kib });
    line.run(20_000);
    expect(line.windows.bytes).toBeLessThanOrEqual(4 * mib);
  });

  it('are small again when there are no streams', () => {
    const line = new Line({ roundTripMs: 10, bytesPerMs: gigabit, streamWindowBytes: 64 * kib });
    line.run(1_000);
    expect(line.windows.bytes).toBeGreaterThan(1 * mib);
    line.windows.share(0);
    expect(line.windows.bytes).toBe(64 * kib);
  });

  it('that shrank grow again', () => {
    const line = new Line({ roundTripMs: 40, bytesPerMs: gigabit, streamWindowBytes: 64 * kib });
    line.run(1_000);
    line.windows.share(100);
    line.run(1_000);
    const shared = line.windows.bytes;
    line.windows.share(1);
    line.run(2_000);
    expect([shared < 1 * mib, line.windows.bytes > 8 * mib]).toEqual([true, true]);
  });
});
