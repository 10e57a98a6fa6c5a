import { describe, expect, it } from 'vitest';
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
