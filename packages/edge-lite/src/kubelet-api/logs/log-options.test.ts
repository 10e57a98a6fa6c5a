import { fc, it } from '@fast-check/vitest';
import { hasCode } from '@selvedge/kit';
import { describe, expect } from 'vitest';
import { logOptions } from './log-options.ts';

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const parse = (text: string): ReturnType<typeof logOptions> => logOptions(new URLSearchParams(text), nowMs);

describe('log options', () => {
  it('are all optional', () => {
    expect(parse('')).toEqual({
      follow: false,
      previous: false,
      timestamps: false,
      stream: 'All',
      tailLines: undefined,
      sinceNs: undefined,
      limitBytes: undefined,
    });
  });

  it('are read as the kubelet reads them', () => {
    expect(parse('follow&previous=1&timestamps=TRUE&tailLines=0&limitBytes=1')).toMatchObject({
      follow: true,
      previous: true,
      timestamps: true,
      tailLines: 0,
      limitBytes: 1,
    });
    expect(parse('follow=false&previous=0&timestamps=False')).toMatchObject({
      follow: false,
      previous: false,
      timestamps: false,
    });
    expect(parse('tail=7&tailLines=3').tailLines).toBe(7);
    expect(parse('tail=all&tailLines=3').tailLines).toBeUndefined();
    expect(parse('stream=Stderr').stream).toBe('Stderr');
  });

  it('say since when in seconds or as a time', () => {
    const ns = BigInt(nowMs) * 1_000_000n;
    expect(parse('sinceSeconds=5').sinceNs).toBe(ns - 5_000_000_000n);
    expect(parse('sinceTime=2026-01-02T04:04:05%2B01:00').sinceNs).toBe(ns);
  });

  it.each(['tailLines=x', 'limitBytes=1.5', 'sinceSeconds=99999999999999999999', 'sinceTime=yesterday'])(
    '%s cannot be read',
    (text) => {
      expect(() => parse(text)).toThrow('Unable to decode query.');
    },
  );

  it.each([
    'tailLines=-1',
    'limitBytes=0',
    'sinceSeconds=0',
    'stream=stdout',
    'stream=Stdout&tailLines=1',
    'sinceSeconds=1&sinceTime=2026-01-02T03:04:05Z',
  ])('%s makes no sense', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ details: { status: 422 } }));
  });

  const names = [
    'follow',
    'previous',
    'timestamps',
    'stream',
    'tail',
    'tailLines',
    'sinceSeconds',
    'sinceTime',
  ];
  const value = fc.oneof(
    fc.string(),
    fc.integer().map(String),
    fc.bigInt().map(String),
    fc.date({ noInvalidDate: false }).map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constantFrom('', 'all', 'true', 'Stdout', 'Stderr'),
  );
  const query = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...names, 'limitBytes'), fc.string()), value));

  it.prop([query])('are what they are to be, or Invalid, whatever is asked', (pairs) => {
    const text = new URLSearchParams(pairs.map(([name, one]): [string, string] => [name, one])).toString();
    let options: ReturnType<typeof parse>;
    try {
      options = parse(text);
    } catch (error) {
      expect(hasCode(error, 'Invalid')).toBe(true);
      return;
    }
    const { tailLines = 0, limitBytes = 1, sinceNs = 0n, stream } = options;
    expect([tailLines, limitBytes].every(Number.isSafeInteger)).toBe(true);
    expect([tailLines >= 0, limitBytes >= 1, typeof sinceNs]).toEqual([true, true, 'bigint']);
    if (stream !== 'All') expect(options.tailLines).toBeUndefined();
  });
});
