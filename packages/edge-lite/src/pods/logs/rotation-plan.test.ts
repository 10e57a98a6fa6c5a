import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';

import { planRotation } from './rotation-plan.ts';

const nowMs = Date.UTC(2026, 0, 2, 15, 4, 5);
const plan = (names: readonly string[], maxFiles = 5) => planRotation('0.log', names, { nowMs, maxFiles });

describe('the plan of a rotation', () => {
  it('names the file by the time, in UTC', () => {
    expect(plan(['0.log'])).toEqual({ remove: [], rotated: '0.log.20260102-150405', compress: [] });
  });

  it('makes room for two more files, oldest first, and compresses what is plain', () => {
    const names = ['3-120000', '1-120000.gz', '4-120000', '2-120000.gz'].map((end) => `0.log.2026010${end}`);
    expect(plan(['0.log', ...names])).toMatchObject({
      remove: ['0.log.20260101-120000.gz'],
      compress: ['0.log.20260103-120000', '0.log.20260104-120000'],
    });
    expect(plan(names, 2)).toMatchObject({ remove: { length: 4 }, compress: [] });
  });

  it('removes what a crash left over', () => {
    const names = ['0.log.20260101-120000.tmp', '0.log.20260101-120001', '0.log.20260101-120001.gz'];
    expect(plan(names)).toMatchObject({
      remove: ['0.log.20260101-120000.tmp', '0.log.20260101-120001'],
      compress: [],
    });
  });

  it('leaves other files alone', () => {
    const names = ['1.log', '10.log', '0.log.mine', '1.log.20260101-120000', '0.log.20260101-120000.bak'];
    expect(plan(names, 2)).toMatchObject({ remove: [], compress: [] });
  });

  it('never takes a name that is in use, and keeps the order when the clock was set back', () => {
    expect(plan(['0.log.20260102-150405']).rotated).toBe('0.log.20260102-150406');
    expect(plan(['0.log.20301231-235959.gz']).rotated).toBe('0.log.20310101-000000');
  });

  const times = fc.array(fc.integer({ min: nowMs, max: nowMs + 20_000 }), { maxLength: 30 });
  property.prop([times, fc.integer({ min: 2, max: 6 })])(
    'keeps the newest files, whatever the clock does',
    (clock, maxFiles) => {
      const order: string[] = [];
      let names: readonly string[] = ['0.log'];
      for (const at of clock) {
        const { remove, rotated, compress } = planRotation('0.log', names, { nowMs: at, maxFiles });
        expect(names).not.toContain(rotated);
        order.push(rotated);
        names = [...names.filter((name) => !remove.includes(name)), rotated].map((name) =>
          compress.includes(name) ? `${name}.gz` : name,
        );
        const newest = order.slice(1 - maxFiles);
        expect(names.map((name) => name.replace('.gz', ''))).toEqual(['0.log', ...newest]);
      }
      expect(new Set(order).size).toBe(clock.length);
      expect(order).toEqual(order.toSorted());
    },
  );
});
