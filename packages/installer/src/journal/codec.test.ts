import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { decodeJournal, encodeRecord } from './codec.ts';
import type { JournalRecord } from './records.ts';

const records: readonly JournalRecord[] = [
  {
    kind: 'begun',
    run: 'r1',
    command: 'selvedge convert --nodes till-5',
    version: '1.0.0',
    at: '2026-01-01T00:00:00Z',
    steps: [
      { kind: 'file', path: '/etc/a', mode: 0o600, content: 'ä\n' },
      { kind: 'restart', name: 'kubelet.service', on: 'apply' },
    ],
  },
  { kind: 'doing', step: 0, before: { kind: 'nothing' } },
  { kind: 'did', step: 0 },
  { kind: 'ended', as: 'done' },
];

function encode(all: readonly JournalRecord[]): string {
  let [text, last] = ['', undefined as string | undefined];
  for (const record of all) {
    const { line, seal } = encodeRecord(record, last);
    [text, last] = [text + line, seal];
  }
  return text;
}

describe('a journal', () => {
  const text = encode(records);
  const ends = [...text.matchAll(/\n/g)].map(({ index }) => index + 1);

  it('tells what was written', () => {
    expect(decodeJournal(text)).toMatchObject({ kind: 'whole', records });
  });

  it('that is empty tells nothing, and can be written on', () => {
    const { last } = { last: '', ...decodeJournal('') };
    expect(decodeJournal(encodeRecord({ kind: 'did', step: 0 }, last).line).kind).toBe('whole');
  });

  test.prop([fc.nat(text.length)])('cut anywhere tells the lines that are whole', (at) => {
    const whole = ends.filter((end) => end <= at).length;
    expect(decodeJournal(text.slice(0, at))).toMatchObject({
      kind: 'whole',
      records: records.slice(0, whole),
    });
  });

  test.prop([fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 })])(
    'with another character anywhere is damaged there, and believed before',
    (at, code) => {
      const character = String.fromCodePoint(code);
      fc.pre(text[at] !== character);
      const reading = decodeJournal(text.slice(0, at) + character + text.slice(at + 1));
      const line = ends.findIndex((end) => at < end);
      // Its last character made it a line: without it, it is one that was being written.
      const kind = at === text.length - 1 ? 'whole' : 'damaged';
      expect([reading.kind, reading.records]).toEqual([kind, records.slice(0, line)]);
    },
  );

  it.each([0, 1, 2])('without line %i is damaged where it was', (without) => {
    const lines = text.split('\n').filter((_line, at) => at !== without);
    expect(decodeJournal(lines.join('\n'))).toMatchObject({ kind: 'damaged', line: without + 1 });
  });

  it('with two lines in another order is damaged', () => {
    const [a, b, c, ...more] = text.split('\n');
    expect(decodeJournal([a, c, b, ...more].join('\n'))).toMatchObject({ kind: 'damaged', line: 2 });
  });
});
