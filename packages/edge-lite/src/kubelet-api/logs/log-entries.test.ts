import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { type EntryOptions, createLogEntries } from './log-entries.ts';
import { parseTimestamp } from './timestamp.ts';

const all: EntryOptions = { timestamps: false, stream: 'All', sinceNs: undefined, limitBytes: undefined };
const read = (text: string, options: Partial<EntryOptions> = {}): string =>
  Buffer.from(createLogEntries({ ...all, ...options }).push(Buffer.from(text))).toString();

const at = (second: number): string => `2026-01-02T03:04:0${second}.5+01:00`;
const log = [
  `${at(1)} stdout F one\n`,
  `${at(2)} stderr P two, `,
  `its begin\n`,
  `${at(3)} stderr F and its end\n`,
  `no entry at all\n`,
  `${at(4)} stdin F nor this\n`,
  `${at(5)} stdout F:more \n`,
  `${at(6)} stdout F six é\n`,
].join('');

describe('log entries', () => {
  it('are joined where the runtime broke a line; what is none is left out', () => {
    expect(read(log)).toBe('one\ntwo, its beginand its end\n\nsix é\n');
  });

  it('begin with their time, in nine digits and in their zone, once a line', () => {
    const fixed = (second: number): string => `2026-01-02T03:04:0${second}.500000000+01:00`;
    expect(read(log, { timestamps: true })).toBe(
      `${fixed(1)} one\n${fixed(2)} two, its beginand its end\n${fixed(5)} \n${fixed(6)} six é\n`,
    );
  });

  it('are those of one stream', () => {
    expect(read(log, { stream: 'Stdout' })).toBe('one\n\nsix é\n');
    expect(read(log, { stream: 'Stderr' })).toBe('two, its beginand its end\n');
  });

  it('are not older than wanted, to the nanosecond', () => {
    const sinceNs = parseTimestamp(at(5))?.ns ?? 0n;
    expect(read(log, { sinceNs })).toBe('\nsix é\n');
    expect(read(log, { sinceNs: sinceNs + 1n })).toBe('six é\n');
  });

  it('end after so many bytes, times included', () => {
    expect(read(log, { limitBytes: 6 })).toBe('one\ntw');
    expect(read(log, { limitBytes: 12, timestamps: true })).toBe('2026-01-02T0');
  });

  it('may be of any length', () => {
    const long = 'x'.repeat(300_000);
    expect(read(`${at(1)} stdout F ${long}\n`)).toBe(`${long}\n`);
    expect(read(`${long}\n${at(1)} stdout F one\n`)).toBe('one\n');
  });

  const cuts = fc.array(fc.nat(Buffer.from(log).length), { maxLength: 12 });
  const options = fc.record({
    timestamps: fc.boolean(),
    stream: fc.constantFrom('All' as const, 'Stdout' as const, 'Stderr' as const),
    sinceNs: fc.option(fc.constant(parseTimestamp(at(3))?.ns), { nil: undefined }),
    limitBytes: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
  });
  property.prop([cuts, options])('are the same however their bytes come', (places, wanted) => {
    const bytes = Buffer.from(log);
    const entries = createLogEntries(wanted);
    const ends = [...places.toSorted((a, b) => a - b), bytes.length];
    const pieces = ends.map((end, i) => entries.push(bytes.subarray(ends[i - 1] ?? 0, end)));
    expect(Buffer.concat(pieces).toString()).toBe(read(log, wanted));
  });

  property.prop([fc.array(fc.uint8Array({ maxLength: 400 }))])('are never made of noise', (pieces) => {
    const entries = createLogEntries({ ...all, timestamps: true });
    for (const piece of pieces) expect(entries.push(piece)).toHaveLength(0);
  });
});
