import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type Hello, maxHelloBytes, parseClientHello } from './client-hello.ts';

/** What a real client sends first. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const written: Buffer[] = [];
  const wire = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      wire.emit('said');
      done();
    },
  });
  const said = once(wire, 'said');
  const client = connect({ socket: wire, ...options });
  client.on('error', () => undefined);
  await said;
  client.destroy();
  wire.destroy();
  return Buffer.concat(written);
}

const named = (serverName: string | undefined): Hello => ({ kind: 'hello', serverName });

/** The same handshake in records of so many bytes. */
function cut(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const piece = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 255]), piece);
  }
  return Buffer.concat(records);
}

describe('a ClientHello', () => {
  test.each<ConnectionOptions>([
    { minVersion: 'TLSv1.3' },
    { maxVersion: 'TLSv1.2' },
    { ALPNProtocols: ['h2', 'http/1.1'] },
  ])('of Node with %j says its server name, in lower case', async (options) => {
    const hello = await helloOf({ ...options, servername: 'Shop-1.Nodes.selvedge' });
    expect(parseClientHello(hello)).toEqual(named('shop-1.nodes.selvedge'));
    expect(parseClientHello(await helloOf(options))).toEqual(named(undefined));
  });

  test('is the same however many records it is cut into, and with bytes behind it', async () => {
    const hello = await helloOf({ servername: 'shop-1' });
    for (const size of [hello.length, 400, 100, Math.ceil(hello.length / 32)]) {
      const bytes = Buffer.concat([cut(hello, size), Buffer.from('more')]);
      expect(parseClientHello(bytes)).toEqual(named('shop-1'));
    }
    expect(parseClientHello(cut(hello, 3))).toMatchObject({ kind: 'malformed', problem: /more than 32/ });
  });

  test('is asked for as long as it is incomplete, and never for more than there is', async () => {
    const whole = cut(await helloOf({ servername: 'shop-1' }), 100);
    for (let length = 0; length < whole.length; length += 1) {
      const said = parseClientHello(whole.subarray(0, length));
      if (said.kind !== 'incomplete') throw new Error(`${length} bytes: ${said.kind}`);
      expect(said.needs).toBeGreaterThan(length);
      expect(said.needs).toBeLessThanOrEqual(whole.length);
    }
  });

  test('that is none is told from the first record', () => {
    expect(parseClientHello(Buffer.from('GET / HTTP/1.1\r\n'))).toMatchObject({ kind: 'malformed' });
    expect(parseClientHello(Buffer.from([22, 3, 1, 0xff, 0xff]))).toMatchObject({ kind: 'malformed' });
    expect(parseClientHello(Buffer.from([22, 3, 1, 0, 0]))).toMatchObject({ kind: 'malformed' });
    expect(parseClientHello(Buffer.from([22, 3, 1, 0, 1, 2]))).toMatchObject({ kind: 'malformed' });
  });

  test('with a name that is no host name is malformed', async () => {
    const hello = await helloOf({ servername: 'shop-1' });
    const at = hello.indexOf('shop-1');
    for (const name of ['shop 1', '-hop-1', 'shop\0b', 'a..bcd']) {
      const other = Buffer.from(hello);
      other.write(name, at, 'latin1');
      expect(parseClientHello(other)).toMatchObject({ kind: 'malformed' });
    }
  });
});

property.prop([fc.uint8Array({ maxLength: 200 })])(
  'random bytes are never a hello, and break nothing',
  (bytes) => {
    const said = parseClientHello(Buffer.from(bytes));
    expect(said.kind).not.toBe('hello');
    if (said.kind === 'incomplete') expect(said.needs).toBeLessThanOrEqual(maxHelloBytes);
  },
);

const sample = await helloOf({ servername: 'shop-1.nodes.selvedge', ALPNProtocols: ['h2'] });

property.prop([fc.nat({ max: sample.length - 1 }), fc.nat({ max: 255 })])(
  'one changed byte gives another name, none, or a complaint',
  (at, value) => {
    const bytes = Buffer.from(sample);
    bytes[at] = value;
    const said = parseClientHello(bytes);
    if (said.kind === 'hello' && said.serverName !== undefined)
      expect(said.serverName).toMatch(/^[-a-z0-9_.]+$/);
  },
);
