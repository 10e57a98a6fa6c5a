import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { nextWindow } from './window.ts';

const kib = 1024;
const mib = 1024 * kib;
const limits = {
  streamWindowBytes: 256 * kib,
  maxStreamWindowBytes: 16 * mib,
  maxSessionBytes: 32 * mib,
};

describe('the window of streams', () => {
  it.each([
    ['doubles when readers take two thirds of it in a round trip', 256 * kib, 1, 200 * kib, 512 * kib],
    ['stays when they take less', 256 * kib, 1, 100 * kib, 256 * kib],
    ['fills 100 ms of 1 Gbit/s', 8 * mib, 1, 12.5e6, 16 * mib],
    ['is never more than its cap', 16 * mib, 1, 64 * mib, 16 * mib],
    ["is each stream's share of the budget when there are more", 16 * mib, 8, 0, 4 * mib],
    ['is the least one when there are many', 16 * mib, 1_000, 64 * mib, 256 * kib],
    ['is the least one again when there are none', 16 * mib, 0, 0, 256 * kib],
  ])('%s', (_what, windowBytes, streams, sampleBytes, next) => {
    expect(nextWindow({ windowBytes, streams, sampleBytes }, limits)).toBe(next);
  });

  const facts = fc.record({
    windowBytes: fc.integer({ min: limits.streamWindowBytes, max: limits.maxStreamWindowBytes }),
    streams: fc.nat(100_000),
    sampleBytes: fc.nat(),
  });
  it.prop([facts])('is within its bounds', (some) => {
    const next = nextWindow(some, limits);
    expect(next).toBeGreaterThanOrEqual(limits.streamWindowBytes);
    expect(next).toBeLessThanOrEqual(limits.maxStreamWindowBytes);
    if (next > limits.streamWindowBytes)
      expect(next * some.streams).toBeLessThanOrEqual(limits.maxSessionBytes);
  });
});
