import { PassThrough } from 'node:stream';
import { SelvedgeError, createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { Credential } from '@selvedge/kube';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type Authority, newAuthority, openAuthority } from '../../../../test/bed/pki/certificate.ts';
import { waitFor } from '../../../../test/bed/wait.ts';
import { connectRequest, dialTls, headOf } from '../egress/testing.ts';
import { createEgressMetrics } from '../egress/index.ts';
import type { PemFiles } from '../serving/index.ts';
import { type ConnectProxy, type ConnectProxyDeps, createConnectProxy } from './connect-proxy.ts';

const { signal } = new AbortController();
let authority: Authority;
let pem: PemFiles;
const proxies: ConnectProxy[] = [];

beforeAll(async () => {
  authority = await openAuthority(await newAuthority('test', Date.now()), systemClock);
  const { certificate, key: privateKey } = await authority.issue({
    commonName: 'proxy',
    addresses: ['127.0.0.1'],
  });
  pem = {
    name: 'files',
    source: 'files',
    serving: { certificate, key: privateKey },
    current: { certificate, privateKey, clientCa: authority.keyPair.certificate },
    onChange: () => new DisposableStack(),
    start: async () => undefined,
    stop: async () => undefined,
  };
});
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.stop();
});

const view: ConnectProxyDeps['view'] = {
  isEdge: () => true,
  isConnected: () => true,
  node: (node) => ({ node, kubeletPort: 10_250 }),
  nodesByHostname: () => [],
  nodesByAddress: () => [],
  nodesByPodAddress: () => [],
  service: () => undefined,
};

/** A token is the name of a user; `root` may do all. */
const access: ConnectProxyDeps['access'] = {
  async authenticate({ bearerToken }: Credential) {
    if (bearerToken !== undefined) return { username: bearerToken, groups: [] };
    throw new SelvedgeError('nothing is shown', { code: 'Unauthenticated' });
  },
  isAccepted: () => false,
  authorize: async ({ user }) => ({ allowed: user.username.startsWith('root'), reason: '' }),
};

async function start(limits: object, deps: Partial<ConnectProxyDeps> = {}): Promise<ConnectProxy> {
  const metrics = createMetricsRegistry();
  const proxy = createConnectProxy(
    { listen: { host: '127.0.0.1', port: 0 }, domain: 'nodes.selvedge', limits },
    {
      access,
      view,
      router: { openNode: async () => ({ stream: new PassThrough(), rule: 'node' }) },
      pem,
      clock: createManualClock(),
      log: silentLogger,
      metrics,
      egressMetrics: createEgressMetrics(metrics),
      ...deps,
    },
  );
  proxies.push(proxy);
  await proxy.start(signal);
  return proxy;
}

async function ask({ port }: ConnectProxy, user: string): Promise<{ head: string; end: () => unknown }> {
  const socket = await dialTls({ port, ca: authority.keyPair.certificate });
  socket.write(connectRequest('shop-1:10250', `Proxy-Authorization: Bearer ${user}`));
  return { head: await headOf(socket), end: () => socket.destroy() };
}

test('a user has so many streams and no more, and a place is free again with its stream', async () => {
  const proxy = await start({ streams: 3, streamsPerClient: 1 });
  const first = await ask(proxy, 'root-1');
  expect(first.head).toMatch(/ 200 /);
  expect((await ask(proxy, 'root-1')).head).toMatch(/ 429 root-1 has 1 streams already/);
  expect((await ask(proxy, 'root-2')).head).toMatch(/ 200 /);
  first.end();
  const again = async (): Promise<boolean> => (await ask(proxy, 'root-1')).head.includes(' 200 ');
  await waitFor({ what: 'the place' }, systemClock, again);
});

test('who is still being asked about takes no more than a share of the reviews', async () => {
  const { promise: asked, resolve: answer } = Promise.withResolvers<{ allowed: boolean; reason: string }>();
  const proxy = await start(
    { reviews: 2, reviewsPerAddress: 1 },
    { access: { ...access, authorize: () => asked } },
  );
  const waiting = ask(proxy, 'root-1');
  const refused = async (): Promise<boolean> => (await ask(proxy, 'root-2')).head.includes(' 429 ');
  await waitFor({ what: 'the limit' }, systemClock, refused);
  answer({ allowed: true, reason: '' });
  expect((await waiting).head).toMatch(/ 200 /);
});

test('an address that shows one made-up token after the other is not asked about any more', async () => {
  let reviews = 0;
  const authenticate = async (): Promise<never> => {
    reviews += 1;
    throw new SelvedgeError('unknown', { code: 'Unauthenticated' });
  };
  const proxy = await start({}, { access: { ...access, authenticate } });
  for (let i = 0; i < 20; i += 1) expect((await ask(proxy, `made-up-${i}`)).head).toMatch(/ 407 /);
  expect((await ask(proxy, 'made-up-20')).head).toMatch(/ 429 /);
  expect(reviews).toBe(20);
});

test('a review that cannot be had is no yes', async () => {
  const authorize = async (): Promise<never> => {
    throw new SelvedgeError('the API server cannot be reached', { code: 'Unavailable' });
  };
  const proxy = await start({}, { access: { ...access, authorize } });
  expect((await ask(proxy, 'root')).head).toMatch(/ 502 the API server cannot be reached/);
});

test('other methods are not spoken here', async () => {
  const { port } = await start({});
  const socket = await dialTls({ port, ca: authority.keyPair.certificate });
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  expect(await headOf(socket)).toMatch(/ 405 [^]*allow: CONNECT/i);
});
