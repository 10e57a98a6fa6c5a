import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { nextWindow } from './window.ts';

const kib = 1024;
const mib = 1024 * kib;
const limits = {
  streamWindowBytes: 256 * kib,
  maxStreamWindowBytes: 24 * mib,
  maxSessionBytes: 32 * mib,
};

describe('the window of streams', () => {
  it.each([
    ['grows when readers take two thirds of it in a round trip', 4 * mib, 1, 3 * mib, 16 * mib],
    ['grows faster while it is small', 256 * kib, 1, 200 * kib, 4 * mib],
    ['grows from any size', 16 * kib, 1, 12 * kib, 256 * kib],
    ['stays when they take less', 256 * kib, 1, 100 * kib, 256 * kib],
    ['fills 100 ms of 1 Gbit/s', 8 * mib, 1, 12.5e6, 24 * mib],
    ['is never more than its cap', 24 * mib, 1, 64 * mib, 24 * mib],
    ["is each stream's share of the budget when there are more", 16 * mib, 8, 0, 4 * mib],
    ['is the least one when there are many', 16 * mib, 1_000, 64 * mib, 256 * kib],
    ['is the least one again when there are none', 16 * mib, 0, 0, 256 * kib],
  ])('%s', (_what, windowBytes, streams, bytes, next) => {
    const sample = { bytes, bytesPerMs: bytes / 100 };
    expect(nextWindow({ windowBytes, streams, sample, grownAtBytesPerMs: 0 }, limits)).toBe(next);
  });

  it('stays, once it is large, when readers are no faster since it grew', () => {
    const sample = { bytes: 4 * mib, bytesPerMs: 105 };
    const facts = { windowBytes: 4 * mib, streams: 1, sample };
    expect(nextWindow({ ...facts, grownAtBytesPerMs: 100 }, limits)).toBe(4 * mib);
    expect(nextWindow({ ...facts, grownAtBytesPerMs: 50 }, limits)).toBe(16 * mib);
    expect(nextWindow({ ...facts, windowBytes: 1 * mib, grownAtBytesPerMs: 100 }, limits)).toBe(4 * mib);
  });

  const facts = fc.record({
    windowBytes: fc.integer({ min: limits.streamWindowBytes, max: limits.maxStreamWindowBytes }),
    streams: fc.nat(100_000),
    sample: fc.record({ bytes: fc.nat(), bytesPerMs: fc.nat() }),
    grownAtBytesPerMs: fc.nat(),
  });
  it.prop([facts])('is within its bounds', (some) => {
    const next = nextWindow(some, limits);
    expect(next).toBeGreaterThanOrEqual(limits.streamWindowBytes);
    expect(next).toBeLessThanOrEqual(limits.maxStreamWindowBytes);
    if (next > limits.streamWindowBytes)
      expect(next * some.streams).toBeLessThanOrEqual(limits.maxSessionBytes);
  });
});
