import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { createLineSplitter } from './lines.ts';

function split(bytes: Uint8Array, chunkBytes: number, maxLineBytes = 1_000_000): string[] {
  const splitter = createLineSplitter({ maxLineBytes });
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    lines.push(...splitter.push(bytes.subarray(at, at + chunkBytes)));
  }
  return lines;
}

const line = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\n'));

describe('the line splitter', () => {
  it('gives the same lines at every chunk size', () => {
    const lines = ['{"a":"é"}', '', '🧵', 'x'.repeat(70), 'last'];
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const expected = lines.filter((one) => one !== '');
    for (let size = 1; size <= bytes.length; size += 1) expect(split(bytes, size)).toEqual(expected);
  });

  property.prop([fc.array(line), fc.integer({ min: 1, max: 64 })])(
    'loses and invents nothing',
    (lines, size) => {
      const text = lines.map((one) => Buffer.from(one).toString('utf8'));
      const bytes = Buffer.from(text.map((one) => `${one}\n`).join(''));
      expect(split(bytes, size)).toEqual(text.filter((one) => one !== ''));
    },
  );

  it('keeps an incomplete line to itself', () => {
    const splitter = createLineSplitter({ maxLineBytes: 100 });
    expect([...splitter.push(Buffer.from('one\ntw'))]).toEqual(['one']);
    expect(splitter.pendingBytes).toBe(2);
    expect([...splitter.push(Buffer.from('o\n'))]).toEqual(['two']);
  });

  it('refuses a line beyond its cap as soon as it is too long, after the lines before it', () => {
    const splitter = createLineSplitter({ maxLineBytes: 4 });
    const read: string[] = [];
    const push = (text: string): void => {
      for (const one of splitter.push(Buffer.from(text))) read.push(one);
    };
    push('1234\n');
    expect(() => push('ok\n123')).not.toThrow();
    expect(() => push('45')).toThrow(expect.objectContaining({ code: 'ResourceExhausted' }));
    expect(read).toEqual(['1234', 'ok']);
  });
});
