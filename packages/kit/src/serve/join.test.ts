import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { join } from './join.ts';

/** Both ends of a TCP connection. */
async function pair(): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const taken = once(server, 'connection');
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  const [far] = (await taken) as [Socket];
  server.close();
  return { near, far };
}

it('breaks off both sides when it is stopped: neither takes what it has for all there is', async () => {
  const [a, b] = [await pair(), await pair()];
  const stop = new AbortController();
  const joined = join(a.near, b.near, stop.signal);
  a.far.write('some');
  await once(b.far, 'data');
  const broken = [a.far, b.far].map(async (side) => {
    const [error] = (await once(side.resume(), 'close').catch((failure) => [failure])) as [unknown];
    return error;
  });
  stop.abort(new Error('stopped'));
  for (const error of await Promise.all(broken)) expect(error).toMatchObject({ code: 'ECONNRESET' });
  await joined;
});
