import { once } from 'node:events';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { createMetricsRegistry, systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FindService, type ServicesOptions, createServices } from './services.ts';

const { signal } = new AbortController();
let server: Server;
let port: number;
const metrics = createMetricsRegistry();

/** Where nobody listens. */
const nowhere = { host: '127.0.0.1', port: 1 };

beforeAll(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(async () => {
  server.close();
  await once(server, 'close');
});

const find = (services: ServicesOptions['services'], limits = {}): FindService =>
  createServices(
    { services, limits },
    {
      clock: systemClock,
      random: () => 0,
      metrics: Object.keys(limits).length > 0 ? createMetricsRegistry() : metrics,
    },
  );

const echo = (): { readonly host: string; readonly port: number } => ({ host: '127.0.0.1', port });

test('a service is what the config says, for the nodes that it says', () => {
  const services = find(
    { all: { addresses: [echo()] }, some: { addresses: [echo()], nodes: ['shop-1'] } },
    { streams: 9 },
  );
  expect(services('all', 'shop-2')).toBeDefined();
  expect(services('some', 'shop-1')).toBeDefined();
  expect(services('some', 'shop-2')).toBeUndefined();
  expect(services('constructor', 'shop-1')).toBeUndefined();
});

test('the next address is tried when one cannot be connected, and bytes are counted by service', async () => {
  const stream = await find({ echo: { addresses: [nowhere, echo()] } })('echo', 'shop-1')?.(signal);
  stream?.end('what is said last');
  expect(stream && (await text(stream))).toBe('what is said last');
  expect(metrics.render()).toContain(
    'selvedge_tunnel_service_bytes_total{service="echo",direction="to_service"} 17',
  );
});

test('the node reads that nothing is there, and not where', async () => {
  await expect(
    find({ a: { addresses: [nowhere] } }, { streams: 9 })('a', 'shop-1')?.(signal),
  ).rejects.toMatchObject({
    code: 'Unavailable',
    message: 'it cannot be connected: ECONNREFUSED',
  });
});

test('a node has so many streams and no more, and a place is free again with its stream', async () => {
  const services = find({ echo: { addresses: [echo()] } }, { streams: 2, streamsPerNode: 1 });
  const first = await services('echo', 'shop-1')?.(signal);
  await expect(services('echo', 'shop-1')?.(signal)).rejects.toMatchObject({ code: 'ResourceExhausted' });
  const second = await services('echo', 'shop-2')?.(signal);
  await expect(services('echo', 'shop-3')?.(signal)).rejects.toThrow(
    'there are 2 streams to services already',
  );
  if (first === undefined || second === undefined) throw new Error('no stream');
  const closed = once(first, 'close');
  first.destroy();
  await closed;
  const again = await services('echo', 'shop-1')?.(signal);
  for (const one of [second, again]) one?.destroy();
});

test('a dial that failed takes no place', async () => {
  const services = find({ a: { addresses: [nowhere] } }, { streams: 1, streamsPerNode: 1 });
  for (const _ of [1, 2])
    await expect(services('a', 'shop-1')?.(signal)).rejects.toMatchObject({ code: 'Unavailable' });
});
