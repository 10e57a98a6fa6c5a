import { fc, test as property } from '@fast-check/vitest';
import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import { aged } from './aged.ts';
import { createCpuRates } from './rates.ts';
import type { Measured } from './types.ts';

const sample = (cgroup: string, timeMs: number, usageNs: number): Measured => ({
  cgroup,
  usage: { timeMs, cpu: { usageNs, nanoCores: undefined }, memory: undefined },
});
const rateOf = ([one]: readonly Measured[]): number | undefined => one?.usage.cpu?.nanoCores;

describe('the rate of a cgroup', () => {
  it('is over the last seconds', () => {
    const rates = createCpuRates();
    expect(rateOf(rates.rate([sample('a', 0, 0)]))).toBeUndefined();
    expect(rateOf(rates.rate([sample('a', 4_000, 2e9)]))).toBe(5e8);
    expect(rateOf(rates.rate([sample('a', 10_000, 2e9)]))).toBe(2e8);
    expect(rateOf(rates.rate([sample('a', 20_000, 2e9)]))).toBe(0);
  });

  it('is not known of a new one, after a long time, or where the counter went back', () => {
    const rates = createCpuRates();
    rates.rate([sample('a', 0, 5e9)]);
    expect(rateOf(rates.rate([sample('b', 4_000, 2e9)]))).toBeUndefined();
    expect(rateOf(rates.rate([sample('b', 8_000, 1e9)]))).toBeUndefined();
    expect(rateOf(rates.rate([sample('b', 200_000, 1e9)]))).toBeUndefined();
    expect(rateOf(rates.rate([sample('b', 201_000, 2e9)]))).toBe(1e9);
  });

  property.prop([fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 20 }), fc.nat(64)])(
    'of steady work is what it works, however often one looks',
    (pausesMs, cores) => {
      const rates = createCpuRates();
      let timeMs = 0;
      rates.rate([sample('a', timeMs, 0)]);
      for (const pauseMs of pausesMs) {
        timeMs += pauseMs;
        expect(rateOf(rates.rate([sample('a', timeMs, timeMs * cores * 1e6)]))).toBe(cores * 1e9);
      }
    },
  );
});

describe('what is aged', () => {
  const signal = new AbortController().signal;

  it('is found out once for all that ask, and again when it is too old', async () => {
    const clock = createManualClock();
    let asked = 0;
    const read = aged({ maxAgeMs: 1_000 }, { clock }, async () => (asked += 1));
    expect(await Promise.all([read(signal), read(signal)])).toEqual([1, 1]);
    await clock.advance(999);
    expect(await read(signal)).toBe(1);
    await clock.advance(1);
    expect(await read(signal)).toBe(2);
  });

  it('is asked for again after a failure', async () => {
    const clock = createManualClock();
    let asked = 0;
    const read = aged({ maxAgeMs: 1_000 }, { clock }, async () => {
      asked += 1;
      if (asked === 1) throw new Error('not now');
      return asked;
    });
    await expect(read(signal)).rejects.toThrow('not now');
    expect(await read(signal)).toBe(2);
  });
});
