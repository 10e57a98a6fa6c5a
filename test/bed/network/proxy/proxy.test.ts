import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { silentLogger } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyFaults } from './options.ts';
import { type FaultProxy, createFaultProxy } from './proxy.ts';

const none: ProxyFaults = { latencyMs: 0, jitterMs: 0, resetEveryMs: 0 };
const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** A server in the place of the cloud: it sends back what it gets, and ends when the client has ended. */
async function echoServer(): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(async () => {
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

async function setUp(faults: ProxyFaults): Promise<{
  readonly proxy: FaultProxy;
  readonly clock: ReturnType<typeof createManualClock>;
  readonly client: Socket;
}> {
  const clock = createManualClock();
  const ports = [{ listen: 0, target: await echoServer() }];
  const proxy = createFaultProxy(
    { target: '127.0.0.1', ports, faults },
    { clock, random: () => 0.5, log: silentLogger },
  );
  await proxy.start(new AbortController().signal);
  cleanUps.push(() => proxy.stop());
  const client = connect({ port: proxy.ports[0] ?? 0, host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => undefined);
  cleanUps.push(async () => client.destroy());
  await once(client, 'connect');
  return { proxy, clock, client };
}

describe('the proxy of a router', () => {
  it('carries bytes and the end of them in both directions', async () => {
    const { client, clock } = await setUp(none);
    const received: Buffer[] = [];
    client.on('data', (chunk: Buffer) => received.push(chunk));
    client.end('hello');
    const ended = once(client, 'end');
    await clock.advance(0);
    while (!client.readableEnded) {
      await clock.advance(1);
      await Promise.race([ended, new Promise((resolve) => setImmediate(resolve))]);
    }
    expect(Buffer.concat(received).toString()).toBe('hello');
  });

  it('keeps bytes back for as long as the line is', async () => {
    const { client, clock } = await setUp({ ...none, latencyMs: 1_000, jitterMs: 100 });
    let received = '';
    client.on('data', (chunk: Buffer) => {
      received += chunk.toString();
    });
    client.write('ping');
    await clock.asleep();
    await clock.advance(1_049);
    expect([received, clock.sleepers]).toEqual(['', 1]);
    await clock.advance(1);
    await clock.asleep();
    const answered = once(client, 'data');
    await clock.advance(1_050);
    await answered;
    expect(received).toBe('ping');
  });

  it('takes new faults for connections that are open', async () => {
    const { client, clock, proxy } = await setUp({ ...none, latencyMs: 1_000 });
    proxy.update(none);
    const answered = once(client, 'data');
    client.write('ping');
    while (client.bytesRead === 0) {
      await clock.advance(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(String((await answered)[0])).toBe('ping');
    expect(clock.monotonicMs()).toBe(0);
  });

  it('resets connections after a random time', async () => {
    const { client, clock } = await setUp({ ...none, resetEveryMs: 1_000 });
    await clock.asleep();
    const closed = new Promise((resolve) => client.once('close', resolve));
    await clock.advance(Math.log(2) * 1_000 + 1);
    await closed;
    expect(client.errored).toMatchObject({ code: 'ECONNRESET' });
  });
});
