import { fc, it } from '@fast-check/vitest';
import { hasCode } from '@selvedge/kit';
import { describe, expect } from 'vitest';
import { commandOf, portsOf, streamsOf } from './stream-options.ts';

const query = (text: string): URLSearchParams => new URLSearchParams(text);

describe('streams', () => {
  it.each([
    ['output=1', { stdin: false, stdout: true, stderr: false, tty: false }],
    ['input=1&output=1&error=1', { stdin: true, stdout: true, stderr: true, tty: false }],
    ['input=1&output=1&error=1&tty=1', { stdin: true, stdout: true, stderr: false, tty: true }],
    ['output=1&tty=true', { stdin: false, stdout: true, stderr: false, tty: false }],
  ])('%s', (text, streams) => {
    expect(streamsOf(query(text))).toEqual(streams);
  });

  it.each(['', 'tty=1', 'tty=1&error=1', 'input=true', 'stdout=1'])('%j are none', (text) => {
    expect(() => streamsOf(query(text))).toThrow('you must specify at least 1 of stdin, stdout, stderr');
  });
});

describe('a command', () => {
  it('is all the words in their order, empty ones too', () => {
    expect(commandOf(query('command=sh&command=-c&command=&command=a%20b%26c'))).toEqual([
      'sh',
      '-c',
      '',
      'a b&c',
    ]);
  });

  it('is needed', () => {
    expect(() => commandOf(query('output=1'))).toThrow('at least one command');
  });
});

describe('ports', () => {
  it('are told by WebSocket clients', () => {
    expect(portsOf(query('port=80&port=443,8080'), 'websocket')).toEqual([80, 443, 8_080]);
    expect(portsOf(query(''), 'SPDY/3.1')).toEqual([]);
  });

  it.each(['', 'port=', 'port=0', 'port=65536', 'port=-1', 'port=80,', 'port=0x50', 'port=8e1'])(
    '%j are none',
    (text) => {
      expect(() => portsOf(query(text), 'WebSocket')).toThrow(/port/);
    },
  );

  it('are not too many', () => {
    const many = Array.from({ length: 65 }, (_, port) => `port=${port + 1}`).join('&');
    expect(() => portsOf(query(many), 'websocket')).toThrow('at most 64');
  });
});

describe('whatever is asked', () => {
  const names = ['input', 'output', 'error', 'tty', 'command', 'port'];
  const value = fc.oneof(fc.string(), fc.integer().map(String), fc.constantFrom('1', '0', '80,81', '1e3'));
  const pairs = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...names), fc.string()), value));
  /** What it says, or undefined where it refuses as it should. */
  const read = <T>(parse: () => T): T | undefined => {
    try {
      return parse();
    } catch (error) {
      expect(hasCode(error, 'Invalid')).toBe(true);
      return undefined;
    }
  };

  it.prop([pairs, fc.oneof(fc.constant('WebSocket'), fc.string())])(
    'it is refused or makes sense',
    (asked, upgrade) => {
      const params = new URLSearchParams(asked.map(([name, one]): [string, string] => [name, one]));
      const streams = read(() => streamsOf(params));
      if (streams !== undefined) {
        expect(streams.stdin || streams.stdout || streams.stderr).toBe(true);
        expect(streams.tty && streams.stderr).toBe(false);
      }
      expect(read(() => commandOf(params)) ?? []).toEqual(params.getAll('command'));
      const ports = read(() => portsOf(params, upgrade)) ?? [];
      expect(ports.every((port) => Number.isInteger(port) && port >= 1 && port <= 65_535)).toBe(true);
      expect(ports.length).toBeLessThanOrEqual(64);
    },
  );
});
