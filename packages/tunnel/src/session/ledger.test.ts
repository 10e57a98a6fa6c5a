import { fc, it } from '@fast-check/vitest';
import { hasCode } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect } from 'vitest';
import { createLedger, overCap } from './ledger.ts';

const session = {};

class Stream {
  readonly owner: object;
  heldBytes: number;
  error: unknown;

  constructor(heldBytes: number, owner: object = session) {
    this.heldBytes = heldBytes;
    this.owner = owner;
  }

  destroy(error: Error): void {
    this.error = error;
    this.heldBytes = 0;
  }
}

describe('what is cut', () => {
  const caps = { maxBytes: 100, maxSessionBytes: 60 };
  it('is nothing under the caps', () => {
    expect(overCap([new Stream(50), new Stream(10), new Stream(40, {})], caps)).toEqual([]);
  });

  it('is the largest of a session that has too much, and nobody else', () => {
    const [small, large, other] = [new Stream(10), new Stream(51), new Stream(39, {})];
    expect(overCap([small, large, other], caps)).toEqual([large]);
  });

  it('is the largest of all when all have too much together', () => {
    const streams = [30, 45, 40].map((bytes) => new Stream(bytes, {}));
    expect(overCap(streams, caps)).toEqual([streams[1]]);
  });

  const streams = fc.array(fc.record({ bytes: fc.nat(200), owner: fc.nat(5) }));
  it.prop([streams])('is enough, and never a small one before a larger one of its session', (some) => {
    const owners = Array.from({ length: 6 }, () => ({}));
    const all = some.map(({ bytes, owner }) => new Stream(bytes, owners[owner]));
    const cut = overCap(all, caps);
    const left = all.filter((stream) => !cut.includes(stream));
    const sum = (of: readonly Stream[]): number => of.reduce((total, { heldBytes }) => total + heldBytes, 0);
    expect(sum(left)).toBeLessThanOrEqual(caps.maxBytes);
    for (const owner of owners) {
      const own = left.filter((stream) => stream.owner === owner);
      expect(sum(own)).toBeLessThanOrEqual(caps.maxSessionBytes);
    }
  });
});

describe('the ledger', () => {
  it('cuts what grew while it waited, and looks only while something waits', async () => {
    const clock = createManualClock();
    const cuts: number[] = [];
    const options = { maxBytes: 100, maxSessionBytes: 100, lookMs: 10 };
    const ledger = createLedger(options, { clock, onCut: (bytes) => cuts.push(bytes) });
    const [one, two] = [new Stream(40), new Stream(40)];
    ledger.hold(one);
    ledger.hold(two);
    await clock.advance(10);
    expect([cuts, ledger.heldBytes]).toEqual([[], 80]);
    two.heldBytes = 90;
    await clock.advance(10);
    expect(cuts).toEqual([90]);
    expect([one.error, hasCode(two.error, 'ResourceExhausted')]).toEqual([undefined, true]);
    one.heldBytes = 0;
    await clock.advance(10);
    expect([ledger.heldBytes, clock.sleepers]).toEqual([0, 0]);
    await ledger.close();
  });

  it('counts who holds something as long as it does, and not who is gone', async () => {
    const clock = createManualClock();
    const options = { maxBytes: 10, maxSessionBytes: 10, lookMs: 10 };
    const ledger = createLedger(options, { clock, onCut: () => undefined });
    const [one, two] = [new Stream(1), new Stream(2)];
    ledger.hold(one);
    ledger.hold(two);
    ledger.hold(one);
    expect(ledger.heldBytes).toBe(3);
    one.heldBytes = 0;
    await clock.advance(10);
    one.heldBytes = 4;
    expect(ledger.heldBytes).toBe(2);
    ledger.forget(two);
    await clock.advance(10);
    expect([ledger.heldBytes, clock.sleepers]).toEqual([0, 0]);
    await ledger.close();
  });
});
