import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createFrameDecoder, encodeFrame } from './frame.ts';

const cap = 256;
const messages = fc.array(fc.uint8Array({ maxLength: 48 }), { maxLength: 12 });

/** Cuts `bytes` into pieces of `size`. */
function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
}

const wire = (all: readonly Uint8Array[]): Buffer => Buffer.concat(all.map(encodeFrame));
const plain = (all: readonly Uint8Array[]): number[][] => all.map((each) => Array.from(each));

describe('gRPC frames', () => {
  it.prop([messages])('come out as they went in, whatever the size of the chunks', (all) => {
    const bytes = wire(all);
    for (let size = 1; size <= bytes.length; size += 1) {
      const decoder = createFrameDecoder(cap);
      expect(plain(cut(bytes, size).flatMap((chunk) => decoder.push(chunk)))).toEqual(plain(all));
      expect(decoder.pendingBytes).toBe(0);
    }
  });

  it.prop([messages.filter((all) => all.length > 0), fc.nat()])(
    'that are cut short stay pending',
    (all, at) => {
      const bytes = wire(all);
      const length = at % bytes.length;
      const decoder = createFrameDecoder(cap);
      const whole = decoder.push(bytes.subarray(0, length));
      expect(wire(whole).length + decoder.pendingBytes).toBe(length);
      expect(plain([...whole, ...decoder.push(bytes.subarray(length))])).toEqual(plain(all));
    },
  );

  it.prop([fc.integer({ min: cap + 1, max: 0xffff_ffff })])(
    'over the cap are refused by their prefix',
    (length) => {
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(length, 1);
      expect(() => createFrameDecoder(cap).push(prefix)).toThrow(
        `a message of ${length} bytes is over the cap of 256`,
      );
    },
  );

  it('of exactly the cap pass', () => {
    expect(createFrameDecoder(cap).push(encodeFrame(Buffer.alloc(cap)))).toHaveLength(1);
  });

  it('that are compressed are refused', () => {
    const frame = encodeFrame(Buffer.from('x'));
    frame[0] = 1;
    expect(() => createFrameDecoder(cap).push(frame)).toThrow('a message is compressed');
  });
});
