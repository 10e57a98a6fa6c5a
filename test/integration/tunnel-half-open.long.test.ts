import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { systemClock } from '@selvedge/kit';
import { expect, test } from 'vitest';
import { connectRequest, dialTls, headOf } from '../../packages/cloud-manager/src/egress/testing.ts';
import { freePort } from '../bed/free-port.ts';
import { newAuthority, openAuthority } from '../bed/pki/certificate.ts';
import { waitFor } from '../bed/wait.ts';
import { startEcho } from '../contract/tunnel-world.ts';
import { Member, issue } from './tunnel-soak-member.ts';

const mib = 1024 * 1024;
const timeouts = { quietMs: 8_000, pingMs: 4_000, drainMs: 1_000 };
const attackers = 10_000;

/** As much of a ClientHello as says that more comes. */
const begun = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);

test('10,000 half-open handshakes cost the server little, and its streams nothing', async () => {
  const authority = await openAuthority(await newAuthority('half-open', Date.now()), Date);
  await using stack = new AsyncDisposableStack();
  const echo = stack.use(await startEcho());
  const [tunnelPort, egressPort] = [await freePort(), await freePort()];
  const own = await issue(authority, { commonName: 'server', addresses: ['127.0.0.1'] });
  const server = {
    role: 'server',
    credentials: own,
    timeouts,
    tunnelPort,
    egressPort,
    other: '127.0.0.1:1',
  } as const;
  const target = stack.use(await new Member(server).start());
  const organizations = ['system:nodes'];
  const credentials = await issue(authority, { commonName: 'system:node:agent-1', organizations });
  const servers = [`127.0.0.1:${tunnelPort}`];
  stack.use(await new Member({ role: 'agent', credentials, timeouts, servers }).start());
  await waitFor(
    { what: 'the session' },
    systemClock,
    async () => (await target.level()).sessions === 1 || undefined,
  );

  const pair = await authority.issue({ commonName: 'driver' });
  const neighbour = await dialTls({ port: egressPort, ca: authority.keyPair.certificate, pair });
  stack.defer(() => void neighbour.destroy());
  neighbour.write(connectRequest(`agent-1:${echo.port}`));
  expect(await headOf(neighbour)).toMatch(/^HTTP\/1\.1 200 /);
  const says = async (words: string): Promise<void> => {
    neighbour.write(words);
    const [answer] = (await once(neighbour, 'data')) as [Buffer];
    expect(answer.toString()).toBe(words);
  };
  await says('before');
  const before = await target.level();
  const sockets: Socket[] = [];
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let made = 0; made < attackers; made += 100) {
    const some = Array.from({ length: 100 }, () => {
      const socket = connect({ host: '127.0.0.1', port: tunnelPort });
      socket.on('error', () => undefined);
      return socket;
    });
    sockets.push(...some);
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    // Half of them begin their handshake, the others say nothing.
    for (const socket of some.slice(0, 50)) socket.write(begun);
    await says(`beside ${made}`);
  }
  const during = await target.level();
  process.stdout.write(`${JSON.stringify({ before, during })}\n`);
  expect(during.sockets - before.sockets).toBeLessThanOrEqual(1_000 + 100);
  expect(during.rssBytes - before.rssBytes).toBeLessThan(256 * mib);
  expect([during.sessions, during.streams]).toEqual([before.sessions, before.streams]);
  await waitFor({ what: 'all to be gone', timeoutMs: 60_000 }, systemClock, async () => {
    const { fds, sockets: left } = await target.level();
    return (fds <= before.fds && left <= before.sockets) || undefined;
  });
  await says('after');
}, 300_000);
