import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { type TLSSocket, connect as connectSecure, createServer } from 'node:tls';
import { SelvedgeError, createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { connectTcp, createIpRanges } from '@selvedge/kit/net';
import { parseTarget } from '@selvedge/tunnel';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type KeyPair, newAuthority, openAuthority } from '../../../../test/bed/pki/certificate.ts';
import { waitFor } from '../../../../test/bed/wait.ts';
import type { ClusterView, NamedNode, Opened } from '../egress/index.ts';
import { type KubeletProxy, type KubeletProxyOptions, createKubeletProxy } from './kubelet-proxy.ts';
import { kubeletOf } from './lookup.ts';

const { signal } = new AbortController();

const named = (node: string, kubeletPort = 10_250): NamedNode => ({ node, kubeletPort });

const view = {
  isEdge: (node: string) => node.startsWith('shop'),
  node: (name: string) =>
    ['shop-1', 'shop-2.example', 'cloud-1', 'cloud-2', 'cloud-3'].includes(name)
      ? named(name)
      : { 'cloud-etcd': named('cloud-1', 2_379) }[name],
  nodesByHostname(hostname: string) {
    if (hostname === 'till') return [named('shop-1', 10_260)];
    return hostname === 'twice' ? [named('shop-1'), named('shop-2')] : [];
  },
} as Partial<ClusterView> as ClusterView;

describe('a server name', () => {
  const lookup = (name: string): unknown =>
    kubeletOf(name, {
      view,
      domain: 'nodes.selvedge',
      addressOf: (node) => ({ 'cloud-1': '10.0.0.1', 'cloud-3': '10.1.0.5' })[node],
      isOfNodes: createIpRanges(['10.0.0.0/16']),
    });
  const edge = (node: string, target: string): object => ({
    kind: 'edge',
    node,
    target: parseTarget(target),
  });

  test.each([
    ['shop-1.nodes.selvedge', edge('shop-1', 'shop-1:10250')],
    ['shop-1', edge('shop-1', 'shop-1:10250')],
    ['shop-2.example.nodes.selvedge', edge('shop-2.example', 'shop-2.example:10250')],
    ['till.nodes.selvedge', edge('shop-1', 'shop-1:10260')],
    [
      'cloud-1.nodes.selvedge',
      { kind: 'direct', node: 'cloud-1', target: { host: '10.0.0.1', port: 10_250 } },
    ],
    ['cloud-2', { kind: 'unknown', reason: 'node cloud-2 has no InternalIP' }],
    [
      'cloud-3',
      { kind: 'unknown', reason: 'the address of node cloud-3, 10.1.0.5, is in no network of nodes' },
    ],
    ['cloud-etcd', { kind: 'unknown', reason: 'node cloud-1 has its kubelet on 2379, not on 10250' }],
    ['shop-9.nodes.selvedge', { kind: 'unknown', reason: 'there is no node shop-9' }],
    ['twice', { kind: 'unknown', reason: '2 nodes say that they are twice' }],
    ['nodes.selvedge', { kind: 'unknown', reason: 'there is no node nodes.selvedge' }],
  ])('%s stands for a kubelet', (name, kubelet) => {
    expect(lookup(name)).toEqual(kubelet);
  });
});

let pair: KeyPair;
let ca: string;
beforeAll(async () => {
  const authority = await openAuthority(await newAuthority('cluster', Date.now()), systemClock);
  pair = await authority.issue({ commonName: 'kubelet', dnsNames: ['shop-1'] });
  ca = authority.keyPair.certificate;
});

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** Says back what it is told, over TLS of its own. */
async function startKubelet(carriers: Socket[], failures: unknown[]): Promise<number> {
  const server = createServer({ cert: pair.certificate, key: pair.key }, (socket) => {
    socket.on('error', ({ code }: NodeJS.ErrnoException) => failures.push(code));
    socket.pipe(socket);
  });
  server.on('connection', (carrier: Socket) => carriers.push(carrier.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => server.close());
  return (server.address() as { port: number }).port;
}

interface Running {
  readonly proxy: KubeletProxy;
  readonly port: number;
  readonly metrics: () => string;
  /** Connections at the kubelet. */
  readonly carriers: readonly Socket[];
  /** Codes of their errors. */
  readonly failures: readonly unknown[];
}

async function start(limits: KubeletProxyOptions['limits'] = {}): Promise<Running> {
  const carriers: Socket[] = [];
  const failures: unknown[] = [];
  const kubelet = await startKubelet(carriers, failures);
  const registry = createMetricsRegistry();
  const openNode = async (): Promise<Opened> => {
    const url = new URL(`tcp://127.0.0.1:${kubelet}`);
    return {
      stream: await connectTcp({ url, dialMs: 5_000, allowHalfOpen: true }, systemClock, signal),
      rule: 'node',
    };
  };
  const openDirect = async (): Promise<Opened> => {
    throw new SelvedgeError('cannot connect', { code: 'Unavailable' });
  };
  const lookup = (name: string) =>
    kubeletOf(name, {
      view,
      domain: 'nodes.selvedge',
      addressOf: (node) => (node === 'cloud-1' ? '10.0.0.1' : '10.1.0.5'),
      isOfNodes: (address) => address === '10.0.0.1',
    });
  const proxy = createKubeletProxy(
    { listen: { host: '127.0.0.1', port: 0 }, limits },
    {
      lookup,
      router: { openNode, openDirect },
      clock: systemClock,
      log: silentLogger,
      metrics: registry,
    },
  );
  stops.push(() => proxy.stop());
  await proxy.start(signal);
  return { proxy, port: proxy.port, metrics: () => registry.render(), carriers, failures };
}

const secure = (port: number, servername: string): TLSSocket =>
  connectSecure({ host: '127.0.0.1', port, servername, ca, checkServerIdentity: () => undefined }).on(
    'error',
    () => undefined,
  );

function plain(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  return socket;
}

/** Node takes a reset that comes before the first bytes for a clean end. */
async function greeted(socket: TLSSocket): Promise<TLSSocket> {
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  socket.write('hello');
  await once(socket, 'data');
  return socket;
}

const lastOf = (socket: Socket): Promise<string> =>
  once(socket, 'end').then(
    () => 'a clean end',
    (error: NodeJS.ErrnoException) => error.code ?? '',
  );

const until = (what: string, look: () => boolean): Promise<true> =>
  waitFor({ what }, systemClock, async () => look() || undefined);

describe('a connection', () => {
  test('is TLS from the client to the kubelet, whose certificate it sees', async () => {
    const { proxy, port } = await start();
    const socket = secure(port, 'shop-1.nodes.selvedge');
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate().subject.CN).toBe('kubelet');
    const big = 'x'.repeat(1_000_000);
    socket.end(big);
    expect((await text(socket)).length).toBe(big.length);
    await until('the end', () => proxy.connections === 0);
  });

  test('breaks with the kubelet, and breaks it off', async () => {
    const { proxy, port, carriers, failures } = await start();
    const one = await greeted(secure(port, 'shop-1'));
    const last = lastOf(one);
    carriers[0]?.resetAndDestroy();
    expect(await last).toBe('ECONNRESET');
    const carrier = plain(port);
    await once(carrier, 'connect');
    await greeted(connectSecure({ socket: carrier, servername: 'shop-1', ca }));
    carrier.resetAndDestroy();
    await until('the kubelet to be told', () => failures.length > 0);
    expect(failures).toEqual(['ECONNRESET']);
    await until('the end', () => proxy.connections === 0);
  });

  test.each([
    ['shop-9', /unrecognized name/, 'unknown'],
    ['', /unrecognized name/, 'unnamed'],
    ['cloud-1', /internal error/, 'failed'],
    ['cloud-3', /unrecognized name/, 'unknown'],
  ])('to "%s" is told why it is none', async (name, alert, outcome) => {
    const { metrics, port } = await start();
    await expect(text(secure(port, name))).rejects.toThrow(alert);
    expect(metrics()).toContain(`selvedge_kubelet_proxy_connections_total{outcome="${outcome}"} 1`);
  });

  test('that is no TLS is told so', async () => {
    const { metrics, port } = await start();
    const socket = plain(port);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    expect(await buffer(socket)).toEqual(Buffer.from([21, 3, 3, 0, 2, 2, 50]));
    expect(metrics()).toContain('{outcome="malformed"} 1');
  });

  test('that says nothing is closed in time, and one that asks whether the port is open costs nothing', async () => {
    const { proxy, port } = await start({ helloMs: 200 });
    const [silent, probe] = [plain(port), plain(port)];
    probe.end();
    silent.write(Buffer.from([22, 3, 1, 0, 200, 1]));
    expect((await buffer(silent)).length).toBe(7);
    expect((await buffer(probe)).length).toBe(0);
    await until('no connection', () => proxy.connections === 0);
  });

  test('of one address beyond its share is told so', async () => {
    const { port, metrics } = await start({ connectionsPerAddress: 1 });
    const socket = secure(port, 'shop-1');
    await once(socket, 'secureConnect');
    await expect(text(secure(port, 'shop-1'))).rejects.toThrow(/internal error|ECONNRESET/);
    expect(metrics()).toContain('{outcome="limited"} 1');
    socket.destroy();
  });

  test('of one address to one node beyond its share is told so, and another node is reached', async () => {
    const { port, metrics } = await start({ connectionsPerAddressAndNode: 1 });
    const socket = await greeted(secure(port, 'shop-1'));
    await expect(text(secure(port, 'shop-1'))).rejects.toThrow(/internal error|ECONNRESET/);
    expect(metrics()).toContain('{outcome="limited"} 1');
    const other = await greeted(secure(port, 'shop-2.example'));
    for (const one of [socket, other]) one.destroy();
  });

  test('that says nothing keeps nobody out', async () => {
    const { port } = await start({ newcomers: 2 });
    const silent = Array.from({ length: 8 }, () => plain(port).resume());
    await until('most of them to be closed', () => silent.filter((one) => one.closed).length >= 6);
    const socket = secure(port, 'shop-1');
    await once(socket, 'secureConnect');
    for (const one of [...silent, socket]) one.destroy();
  });

  test('ends with the proxy', async () => {
    const { proxy, port } = await start();
    const socket = await greeted(secure(port, 'shop-1'));
    const last = lastOf(socket);
    await proxy.stop();
    expect(await last).toBe('ECONNRESET');
  });
});
