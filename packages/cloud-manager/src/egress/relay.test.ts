import { once } from 'node:events';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { SelvedgeError, systemClock } from '@selvedge/kit';
import { breakOff } from '@selvedge/kit/net';
import { describe, expect, test } from 'vitest';
import type { KeyPair } from '../../../../test/bed/pki/certificate.ts';
import { ask, dial, refuse, until, useEgress } from '../../../../test/contract/egress-world.ts';
import { startEcho, startTarget } from '../../../../test/contract/tunnel-world.ts';
import { relayHeader } from './answers.ts';
import type { Egress } from './egress.ts';
import { openRelayed } from './relay-client.ts';
import type { Router } from './router.ts';
import { dialUnix, lastOf } from './testing.ts';

const { signal } = new AbortController();
const world = useEgress();
const { served, start } = world;

describe('a relay', () => {
  const relay = (
    egress: Egress,
    node: string,
    target: string,
    as: { serverName?: string; pair?: KeyPair } = {},
  ) => {
    const [host = '', port] = target.split(':');
    const { pair = world.pairs.peer, serverName } = as;
    const { certificate, key: privateKey } = pair;
    const pem = { certificate, privateKey, clientCa: world.authority.keyPair.certificate };
    const address = `127.0.0.1:${egress.port}`;
    const request = { address, node, target: { host, port: Number(port) }, signal };
    return openRelayed(request, { pem: () => pem, serverName, clock: systemClock });
  };

  test('goes to the session that this server has', async () => {
    const echo = await served(startEcho());
    const egress = await start({}, { open: refuse });
    const asOne = { serverName: 'servers.test' };
    const stream = await relay(egress, 'shop-1', echo.address, asOne);
    const big = 'y'.repeat(2_000_000);
    stream.end(big);
    expect((await text(stream)).length).toBe(big.length);
    await until('no stream', () => egress.streams === 0);
  });

  test('breaks with the destination, and breaks it off', async () => {
    const failures: (string | undefined)[] = [];
    const target = await served(
      startTarget((socket) => {
        socket.on('error', (error: NodeJS.ErrnoException) => failures.push(error.code));
        socket.write('half');
      }),
    );
    const egress = await start({}, { open: refuse });
    const [one, two] = [
      await relay(egress, 'shop-1', target.address),
      await relay(egress, 'shop-1', target.address),
    ];
    await once(one, 'data');
    const last = lastOf(one as Socket);
    breakOff(two, new Error('the caller is gone'));
    await until('the destination to be told', () => failures.length > 0);
    for (const socket of target.sockets) socket.resetAndDestroy();
    expect([failures, await last]).toEqual([['ECONNRESET'], 'ECONNRESET']);
    await until('no stream', () => egress.streams === 0);
  });

  test('says why not, and never asks a third', async () => {
    const egress = await start({}, { openNode: (_node, target) => dial(target) });
    await expect(relay(egress, 'shop-2', '127.0.0.1:1')).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringMatching(/answered: 10\.0\.0\.1 is held/) as string,
    });
  });

  test('tells what the node itself said from what this server says of it', async () => {
    const failing = (details: Record<string, unknown>): Partial<Router> => ({
      openHere: async () => {
        throw new SelvedgeError('no', { code: 'Unavailable', details });
      },
    });
    for (const [details, told] of [
      [{ status: 502 }, { status: 502 }],
      [{ noSession: true }, {}],
    ] as const) {
      const egress = await start({}, failing(details));
      await expect(relay(egress, 'shop-1', '127.0.0.1:1')).rejects.toHaveProperty('details', told);
      await egress.stop();
    }
  });

  test('is for other servers only', async () => {
    const egress = await start();
    await expect(relay(egress, 'shop-1', '127.0.0.1:1', { serverName: 'other.test' })).rejects.toThrow(
      /other\.test/,
    );
    const asked = relay(egress, 'shop-1', '127.0.0.1:1', { pair: world.pairs.api });
    await expect(asked).rejects.toThrow(/certificate api is no server that may relay/);
    const socket = await dialUnix(world.unixSocket);
    expect(await ask(socket, '127.0.0.1:1', `${relayHeader}: shop-1`)).toMatch(
      /403 the Unix socket is no server/,
    );
  });
});
