import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { systemClock as clock } from '@selvedge/kit';
import { expect, it } from 'vitest';
import { type Host, createLocalHost } from '../host/index.ts';
import { canReach } from './reach.ts';

const { signal } = new AbortController();

it('tells whether somebody listens there', async () => {
  const server = createServer((socket) => socket.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const to = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  await using host = createLocalHost({ clock });
  expect(await canReach(host, to, signal)).toBe('reached');
  server.close();
  await once(server, 'close');
  expect(await canReach(host, to, signal)).toBe('refused');
});

it.each([
  ['a name that is none', { host: `${'a'.repeat(64)}.invalid`, port: 443 }],
  ['a broadcast address', { host: '255.255.255.255', port: 443 }],
])('does not take %s for one where nobody listens', async (_what, to) => {
  await using host = createLocalHost({ clock });
  expect(await canReach(host, to, signal)).toBe('not reached');
});

it('does not guess where nothing can open a connection', async () => {
  const run: Host['run'] = async () => ({ exitCode: 77, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) });
  const host: Host = { name: 'bare', run, [Symbol.asyncDispose]: () => Promise.resolve() };
  expect(await canReach(host, { host: 'a', port: 1 }, signal)).toBe('not known');
});
