import { fc, test as property } from '@fast-check/vitest';
import { createManualClock } from '@selvedge/kit/testing';
import { expect } from 'vitest';
import { Delays } from './delays.ts';

const key = fc.constantFrom('a', 'b', 'c', 'd');
const move = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), key, ms: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ kind: fc.constant('delete' as const), key, ms: fc.constant(0) }),
  fc.record({ kind: fc.constant('pass' as const), key, ms: fc.integer({ min: 0, max: 30 }) }),
);

property.prop([fc.array(move, { maxLength: 300 })])(
  'each key is due at the earliest time that it was given since it was last due or taken back',
  async (moves) => {
    const clock = createManualClock();
    const seen: string[] = [];
    const delays = new Delays(clock, (one) => seen.push(`${one} ${clock.monotonicMs()}`));
    const model = new Map<string, number>();
    const wanted: string[] = [];
    for (const { kind, key: one, ms } of moves) {
      const now = clock.monotonicMs();
      if (kind === 'add') {
        delays.add(one, ms);
        model.set(one, Math.min(now + ms, model.get(one) ?? Infinity));
      } else if (kind === 'delete') {
        delays.delete(one);
        model.delete(one);
      } else {
        await clock.advance(ms);
        const due = Array.from(model).filter(([, at]) => at <= now + ms);
        for (const [gone, at] of due) {
          model.delete(gone);
          wanted.push(`${gone} ${at}`);
        }
      }
      expect([delays.size, delays.has(one)]).toEqual([model.size, model.has(one)]);
    }
    expect(seen.toSorted()).toEqual(wanted.toSorted());
    await delays.clear();
    expect([delays.size, clock.sleepers]).toEqual([0, 0]);
  },
);
