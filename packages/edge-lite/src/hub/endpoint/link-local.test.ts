import { once } from 'node:events';
import { type Socket, connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type TestHub, readAll, readUntil, ask, createTestHub, asToken, notAsked } from './testing.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** Says what it hears. */
async function echoServer(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

// 127.0.0.2 stands in for the link-local address: it needs no rights and no interface.
const linkLocalAddress = '127.0.0.2';

async function dialLinkLocal(hub: TestHub): Promise<Socket> {
  const socket = connect({ host: linkLocalAddress, port: hub.endpoint.port, allowHalfOpen: true });
  socket.on('error', () => undefined);
  // The reset of one that is refused may come before.
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
  return socket;
}

describe('the link-local address', () => {
  const machineAddresses = (): readonly string[] => [linkLocalAddress];

  it('relays pods that cannot know the authority of the hub, byte for byte, and lists them', async () => {
    const port = await echoServer();

    const dialRaw = async (): Promise<Socket> => connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    await using hub = await createTestHub(
      { machineAddresses, relayFor: () => true, upstream: { upgrade: notAsked, dialRaw } },
      { linkLocalAddress },
    );
    const socket = await dialLinkLocal(hub);
    socket.write('not TLS');
    expect(await readUntil(socket, 'not TLS')).toBe('not TLS');
    expect(hub.endpoint.relayed).toMatchObject([{ address: '127.0.0.1', connections: 1 }]);
    socket.end(' at all');
    expect(await readAll(socket)).toBe(' at all');
    await expect.poll(() => hub.endpoint.relayed).toMatchObject([{ connections: 0 }]);
    // The agents of the node are never relayed.
    expect((await ask['HTTP/1.1'](hub, '/version', { headers: asToken })).status).toBe(200);
  });

  it('breaks the connection of such a pod while the cloud is away', async () => {
    await using hub = await createTestHub({ machineAddresses, relayFor: () => true }, { linkLocalAddress });
    const socket = await dialLinkLocal(hub);
    expect(await readAll(socket)).toBe('');
    expect(hub.metrics.render()).toContain('selvedge_hub_relayed_connections_total{outcome="failed"} 1');
  });

  it('serves nobody from elsewhere', async () => {
    await using hub = await createTestHub({ machineAddresses, isLocal: () => false }, { linkLocalAddress });
    const socket = await dialLinkLocal(hub);
    expect(await readAll(socket)).toBe('');
    expect(hub.metrics.render()).toContain('selvedge_hub_refused_connections_total{reason="foreign"} 1');
    expect((await ask['HTTP/1.1'](hub, '/version', { headers: asToken })).status).toBe(200);
  });

  it('is on lo while the hub runs, and stays if it was there before', async () => {
    const addresses = new Set<string>();
    const done: string[] = [];
    const exec = async (argv: readonly string[]): Promise<void> => {
      done.push(argv.join(' '));
      if (argv.includes('add')) addresses.add(linkLocalAddress);
      else addresses.delete(linkLocalAddress);
    };
    const deps = { exec, machineAddresses: () => [...addresses] };
    await (await createTestHub(deps, { linkLocalAddress }))[Symbol.asyncDispose]();
    expect(done).toEqual([
      `ip address add ${linkLocalAddress}/32 dev lo scope link`,
      `ip address del ${linkLocalAddress}/32 dev lo`,
    ]);
    addresses.add(linkLocalAddress);
    await (await createTestHub(deps, { linkLocalAddress }))[Symbol.asyncDispose]();
    expect(done).toHaveLength(2);
    expect([...addresses]).toEqual([linkLocalAddress]);
  });
});
