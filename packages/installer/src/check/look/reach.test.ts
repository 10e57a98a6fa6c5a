import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { systemClock as clock } from '@selvedge/kit';
import { expect, it } from 'vitest';
import { type Host, createLocalHost } from '../../host/index.ts';
import { parseTarget, reach } from './reach.ts';

const { signal } = new AbortController();
const what = 'tunnel server';

it.each([
  ['tunnel.example.com:8443', { host: 'tunnel.example.com', port: '8443' }],
  ['tunnel.example.com', { host: 'tunnel.example.com', port: '443' }],
  ['203.0.113.7:443', { host: '203.0.113.7', port: '443' }],
  ['[2001:db8::7]:6443', { host: '2001:db8::7', port: '6443' }],
])('takes %s apart', (target, parts) => {
  expect(parseTarget(target)).toEqual(parts);
});

it('tells whether somebody listens there', async () => {
  const server = createServer((socket) => socket.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using host = createLocalHost({ clock });
  expect(await reach(host, { target, what }, signal)).toEqual({ target, what, kind: 'reached' });
  server.close();
  await once(server, 'close');
  expect(await reach(host, { target, what }, signal)).toEqual({ target, what, kind: 'not reached' });
});

it('does not guess where nothing can open a connection', async () => {
  const run: Host['run'] = async () => ({ exitCode: 77, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) });
  const host: Host = { name: 'bare', run, [Symbol.asyncDispose]: () => Promise.resolve() };
  expect((await reach(host, { target: 'a:1', what }, signal)).kind).toBe('not known');
});
