import { connect } from 'node:net';
import { createListeners, createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { type TunnelCredentials, formatTarget } from '@selvedge/tunnel';
import type { TunnelServer } from '@selvedge/tunnel/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTemporaryStore, type TemporaryStore } from '../../packages/edge-lite/src/store/testing.ts';
import { type NodeFacts, type Tunnel, createTunnel } from '../../packages/edge-lite/src/tunnel/index.ts';
import { until } from './kube-bench.ts';
import { type Target, TunnelWorld, ask, joined, open, startEcho } from './tunnel-world.ts';

const { signal } = new AbortController();
const peer = 'node-1';

let world: TunnelWorld;
let server: TunnelServer;
let kubelet: Target;
let store: TemporaryStore;
let identity: TunnelCredentials;
let pods: readonly string[];
const replaced = createListeners<void>(silentLogger);
const tunnels: Tunnel[] = [];

beforeEach(async () => {
  world = await TunnelWorld.create();
  server = await world.server();
  kubelet = await startEcho();
  store = await createTemporaryStore();
  identity = await world.node(peer);
  pods = [];
});
afterEach(async () => {
  for (const tunnel of tunnels.splice(0)) await tunnel.stop();
  await world[Symbol.asyncDispose]();
  await kubelet[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
});

const facts = (): NodeFacts => ({
  name: peer,
  addresses: ['192.0.2.7', peer],
  machineAddresses: ['127.0.0.1'],
  kubelet: { host: '127.0.0.1', port: kubelet.port },
  isPod: (address) => pods.includes(address),
});

/** The module as edge-lite runs it. */
function create(carriers: readonly ('tls' | 'websocket')[] = ['tls', 'websocket']): Tunnel {
  const metrics = createMetricsRegistry();
  const tunnel = createTunnel(
    {
      servers: [{ address: `127.0.0.1:${server.ports[0]}` }],
      carriers,
      allow: [],
    },
    {
      identity: {
        async credentials() {
          const { certificateAuthority, ...clientCertificate } = identity;
          return { certificateAuthority, clientCertificate };
        },
        onChange: (changed) => replaced.add(changed),
      },
      facts,
      documents: store.store.runtime,
      clock: systemClock,
      random: seededRandom(5),
      log: silentLogger,
      metrics,
    },
  );
  tunnels.push(tunnel);
  return tunnel;
}

async function start(carriers?: Parameters<typeof create>[0]): Promise<Tunnel> {
  const tunnel = create(carriers);
  await tunnel.start(signal);
  return tunnel;
}

const carriersOf = (): readonly string[] => server.sessions.map(({ carrier }) => carrier);

describe('the tunnel of a node', () => {
  it('leads to the kubelet by any of the node’s names, whatever they resolve to', async () => {
    await start();
    await joined(server);
    for (const host of [peer, '192.0.2.7', '127.0.0.1']) {
      const target = formatTarget({ host, port: kubelet.port });
      expect(await ask(await open(server, target), 'logs?')).toBe('logs?');
    }
  });

  it('says why it refuses, and follows the pods as they come', async () => {
    const tunnel = await start();
    await joined(server);
    const target = `127.0.0.2:${kubelet.port + 1}`;
    await expect(open(server, `198.51.100.9:80`)).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringContaining('198.51.100.9:80 is no pod of node node-1'),
    });
    await expect(open(server, target)).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringContaining(`only port ${kubelet.port}, the kubelet's, is allowed`),
    });
    pods = ['198.51.100.9'];
    // No such machine: it is dialled, and that is all that is asked here.
    const given = new AbortController();
    const opening = server.open({ peer, target: '198.51.100.9:80', signal: given.signal });
    given.abort(new Error('seen enough'));
    await expect(opening).rejects.toThrow('seen enough');
    expect(tunnel.status()).toMatchObject({ links: [{ state: { kind: 'up', carrier: 'tls' } }] });
  });

  it('takes a new session with a new certificate, while streams of the old one end', async () => {
    await start();
    await joined(server);
    const [before] = server.sessions;
    const stream = await open(server, `${peer}:${kubelet.port}`);
    identity = await world.node(peer);
    replaced.tell();
    await until('the new session', () =>
      server.sessions.some(({ id, state }) => id !== before?.id && state.kind === 'live'),
    );
    await until('the old one to drain', () =>
      server.sessions.some(({ id, state }) => id === before?.id && state.kind === 'draining'),
    );
    expect(await ask(stream, 'still here')).toBe('still here');
    await until('the old one to end', () => server.sessions.length === 1);
  });

  it('leads to services of the cloud, also when they are asked for before its start', async () => {
    const services = await world.server({
      service: (name, node) =>
        name === `of-${node}` ? async () => connect(kubelet.port, '127.0.0.1') : undefined,
    });
    server = services;
    const tunnel = create();
    const opening = tunnel.openForward(`of-${peer}`, signal);
    await tunnel.start(signal);
    expect(await ask(await opening, 'GET /readyz')).toBe('GET /readyz');
    await expect(tunnel.openForward('other', signal)).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('tells when streams to services have to move, once for each session', async () => {
    server = await world.server({ service: () => async () => connect(kubelet.port, '127.0.0.1') });
    const tunnel = await start();
    let told = 0;
    tunnel.onHandover(() => (told += 1));
    const stream = await tunnel.openForward('any', signal);
    const drained = server.drain('the server is being replaced');
    await until('the word', () => told === 1);
    expect(await ask(stream, 'still here')).toBe('still here');
    stream.destroy();
    await drained;
    expect(told).toBe(1);
  });

  it('tries first what worked last, also after a restart', async () => {
    const first = await start(['websocket']);
    await joined(server);
    expect(carriersOf()).toEqual(['websocket']);
    await first.stop();
    await until('the end of the session', () => server.sessions.length === 0);
    await store.reopen();
    await start(['tls', 'websocket']);
    await joined(server);
    expect(carriersOf()).toEqual(['websocket']);
  });

  it('does not start with authorities that cannot be read', async () => {
    const tunnel = createTunnel(
      { servers: [{ address: '127.0.0.1:1' }], carriers: ['tls'], allow: [], caFile: '/nowhere/ca.crt' },
      {
        identity: { credentials: async () => ({}), onChange: (changed) => replaced.add(changed) },
        facts,
        documents: store.store.runtime,
        clock: systemClock,
        random: seededRandom(5),
        log: silentLogger,
        metrics: createMetricsRegistry(),
      },
    );
    await expect(tunnel.start(signal)).rejects.toMatchObject({
      code: 'Invalid',
      message: 'cannot read the authorities /nowhere/ca.crt',
    });
  });
});
