import { createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { type Credentials, type Transport, createKubeMetrics, createTransport } from '@selvedge/kube';
import type { TunnelAgent } from '@selvedge/tunnel/agent';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KeyPair } from '../bed/pki/certificate.ts';
import { type ManagerWorld, type RunningManager, signal, startManagerWorld, until } from './manager-world.ts';

/** Two servers that offer the API server to nodes, and something else to one of them. */
let world: ManagerWorld;
let managers: readonly [RunningManager, RunningManager];
const nodes = new Map<string, { readonly pair: KeyPair; readonly agent: TunnelAgent }>();
const transports: Transport[] = [];

const partsOf = (name: string): { readonly pair: KeyPair; readonly agent: TunnelAgent } => {
  const parts = nodes.get(name);
  if (parts === undefined) throw new Error(`there is no node ${name}`);
  return parts;
};

/** As a node, by the tunnel alone: the address is one that nobody could dial. */
function through(name: string): {
  readonly get: (path: string) => Promise<string>;
  readonly transport: Transport;
} {
  const { pair, agent } = partsOf(name);
  const metrics = createKubeMetrics(createMetricsRegistry());
  const transport = createTransport(
    { servers: ['https://127.0.0.1:1'], open: (_url, asked) => agent.openForward('kube-apiserver', asked) },
    { clock: systemClock, log: silentLogger, metrics },
  );
  transports.push(transport);
  const clientCertificate = { certificate: pair.certificate, privateKey: pair.key };
  const credentials: Credentials = { certificateAuthority: world.cluster.controlPlane.ca, clientCertificate };
  const get = async (path: string): Promise<string> => {
    const request = { method: 'GET', path, headers: { accept: 'application/json' }, signal };
    const { status, body } = await transport.send(request, credentials);
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk as Buffer);
    return `${status} ${Buffer.concat(chunks).toString()}`;
  };
  return { get, transport };
}

beforeAll(async () => {
  world = await startManagerWorld();
  const { host } = new URL(world.cluster.url);
  const services = {
    'kube-apiserver': { addresses: ['127.0.0.1:1', host] },
    mirror: { addresses: [host], nodes: ['shop-1'] },
  };
  managers = [
    await world.startManager('one', { tunnel: { services } }),
    await world.startManager('two', { tunnel: { services } }),
  ];
  for (const name of ['shop-1', 'shop-2']) {
    const pair = await world.addNode(name);
    nodes.set(name, { pair, agent: await world.startAgent(pair, managers) });
    await until(`the EdgeNode ${name}`, () => world.edgeNode(name));
  }
});
afterAll(async () => {
  await Promise.all(transports.map((transport) => transport.close()));
  await world[Symbol.asyncDispose]();
});

test('a node reaches the API server as itself, past an address where nobody listens', async () => {
  const { get } = through('shop-1');
  expect(await get('/api/v1/nodes/shop-1')).toMatch(/^200 .*"name":"shop-1"/);
  expect(await get('/api/v1/nodes/shop-2')).toMatch(/^403 .*system:node:shop-1/);
});

test('a service is there for the nodes that it is for', async () => {
  const stream = await partsOf('shop-1').agent.openForward('mirror', signal);
  stream.destroy();
  await expect(partsOf('shop-2').agent.openForward('mirror', signal)).rejects.toMatchObject({
    code: 'NotFound',
    message: 'mirror: there is no service mirror',
  });
});

test('a ban ends the way to the API server too', async () => {
  const { get } = through('shop-2');
  expect(await get('/api/v1/nodes/shop-2')).toMatch(/^200 /);
  await world.ban('shop-2', true);
  await until('the end', async () =>
    get('/api/v1/nodes/shop-2').then(
      () => false,
      () => true,
    ),
  );
  await expect(get('/api/v1/nodes/shop-2')).rejects.toMatchObject({
    cause: { message: 'node shop-2 is banned' },
  });
});

test('no request fails while a server is replaced', async () => {
  const { get, transport } = through('shop-1');
  using moved = partsOf('shop-1').agent.onChange(({ sessions }) => {
    if (sessions.some(({ direction, state }) => direction === 'forward' && state.kind === 'draining'))
      transport.renew();
  });
  const answers: string[] = [];
  const ended = new AbortController();
  const asking = (async () => {
    while (!ended.signal.aborted) answers.push((await get('/api/v1/nodes/shop-1')).slice(0, 4));
  })();
  const [one] = managers;
  one.signal('SIGTERM');
  expect(await one.exited).toBe(0);
  const before = answers.length;
  await until('requests through the other', async () => answers.length > before + 20);
  ended.abort();
  await asking;
  expect(new Set(answers)).toEqual(new Set(['200 ']));
});
