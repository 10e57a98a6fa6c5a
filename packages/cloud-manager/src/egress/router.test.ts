import { PassThrough } from 'node:stream';
import {
  type ErrorCode,
  SelvedgeError,
  createMetricsRegistry,
  silentLogger,
  systemClock,
} from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { Target } from '@selvedge/tunnel';
import { expect, test } from 'vitest';
import type { ClusterView } from './destination.ts';
import { createEgressMetrics } from './metrics.ts';
import { type Router, type RouterDeps, createRouter } from './router.ts';

const { signal } = new AbortController();
const target: Target = { host: 'shop-1', port: 10_250 };

const view = {
  isEdge: (node: string) => node === 'shop-1',
  isConnected: () => true,
  node: (node: string) => (node === 'shop-1' ? { node, kubeletPort: 10_250 } : undefined),
  nodesByHostname: () => [],
} as Partial<ClusterView> as ClusterView;

const failure = (code: ErrorCode, message: string, details = {}): SelvedgeError =>
  new SelvedgeError(message, { code, details });

interface Setup {
  /** What the session of this server answers; absent: there is none. */
  readonly here?: 'opens' | SelvedgeError;
  /** What the other servers answer, by their addresses. */
  readonly others?: Readonly<Record<string, 'opens' | Error>>;
}

interface Routed {
  readonly router: Router;
  readonly asked: string[];
  readonly metrics: () => string;
}

function route({ here, others = {} }: Setup): Routed {
  const asked: string[] = [];
  const registry = createMetricsRegistry();
  const answer = (name: string, said: 'opens' | Error | undefined): PassThrough => {
    asked.push(name);
    if (said === 'opens') return new PassThrough();
    throw said ?? failure('Unavailable', 'no', { noSession: true });
  };
  const deps: RouterDeps = {
    view,
    tunnel: { reaches: () => here !== undefined, open: async () => answer('here', here) },
    holders: () => [{ server: 'old' }, ...Object.keys(others).map((egress) => ({ server: egress, egress }))],
    relay: async ({ address }) => answer(address, others[address]),
    dial: async ({ host, port }) => answer(`direct ${host}:${port}`, 'opens'),
    clock: systemClock,
    random: Math.random,
    log: silentLogger,
    metrics: createEgressMetrics(registry),
  };
  return { router: createRouter(deps), asked, metrics: () => registry.render() };
}

test('a session of this server is used before those of others', async () => {
  const { router, asked, metrics } = route({ here: 'opens', others: { a: 'opens' } });
  expect((await router.open(target, signal)).rule).toBe('node');
  expect(asked).toEqual(['here']);
  expect(metrics()).toContain('selvedge_egress_streams_total{rule="node",way="tunnel",outcome="opened"} 1');
});

test('without one, and when it ends in that moment, others are asked in their order', async () => {
  const gone = failure('Unavailable', 'gone', { noSession: true });
  const others = { a: failure('Unavailable', 'a is away'), b: 'opens', c: 'opens' } as const;
  for (const [setup, asked] of [
    [{ others }, ['a', 'b']],
    [{ here: gone, others }, ['here', 'a', 'b']],
  ] as const) {
    const routed = route(setup);
    await routed.router.open(target, signal);
    expect(routed.asked).toEqual(asked);
    expect(routed.metrics()).toContain('{rule="node",way="relay",outcome="opened"} 1');
  }
});

test('what the agent refuses, nobody else is asked for', async () => {
  for (const setup of [
    { here: failure('Forbidden', 'not that'), others: { a: 'opens' } },
    { others: { a: failure('Forbidden', 'not that'), b: 'opens' } },
    { here: failure('Unavailable', 'not that', { status: 502 }), others: { a: 'opens' } },
    { here: failure('DeadlineExceeded', 'not that', { status: 504 }), others: { a: 'opens' } },
    { others: { a: failure('Unavailable', 'not that', { status: 502 }), b: 'opens' } },
  ] as const) {
    const { router, asked } = route(setup);
    await expect(router.open(target, signal)).rejects.toThrow('not that');
    expect(asked).toHaveLength(1);
  }
});

test('where the agent has not answered, others are asked', async () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  for (const silent of [
    failure('DeadlineExceeded', 'no answer'),
    failure('ResourceExhausted', 'this session is full'),
    failure('Unavailable', 'the session broke'),
  ]) {
    const { router, asked } = route({ here: silent, others: { a: refused, b: silent, c: 'opens' } });
    await router.open(target, signal);
    expect(asked).toEqual(['here', 'a', 'b', 'c']);
    await expect(route({ here: silent }).router.open(target, signal)).rejects.toBe(silent);
  }
});

test('who gives up is told so, and nobody else is asked', async () => {
  const gone = AbortSignal.abort();
  const { router, asked } = route({
    here: failure('Unavailable', 'the session broke'),
    others: { a: 'opens' },
  });
  await expect(router.open(target, gone)).rejects.toBe(gone.reason);
  expect(asked).toEqual(['here']);
});

test('a node without any session is not connected; when all fail, the last failure is told', async () => {
  await expect(route({}).router.open(target, signal)).rejects.toThrow('node shop-1 is not connected');
  const others = { a: failure('Unavailable', 'one'), b: failure('DeadlineExceeded', 'two') };
  await expect(route({ others }).router.open(target, signal)).rejects.toThrow('two');
});

test('another server gets the session of this one, and no hop beyond', async () => {
  const { router, asked } = route({ others: { a: 'opens' } });
  await expect(router.openHere('shop-1', target, signal)).rejects.toMatchObject({ code: 'Unavailable' });
  expect(asked).toEqual(['here']);
  expect((await route({ here: 'opens' }).router.openHere('shop-1', target, signal)).rule).toBe('relayed');
});

test('what is not at the edge is dialled', async () => {
  const { router, asked, metrics } = route({ here: 'opens' });
  await router.open({ host: 'webhook.example', port: 443 }, signal);
  await router.openDirect({ host: '10.0.0.1', port: 10_250 }, signal);
  expect(asked).toEqual(['direct webhook.example:443', 'direct 10.0.0.1:10250']);
  expect(metrics()).toContain('{rule="other",way="direct",outcome="opened"} 1');
});

/** A Service with an endpoint on each of so many nodes; the first ones do not answer. */
function routeService(
  nodes: number,
  answers: (asked: number) => 'opens' | Error,
): Routed & { readonly deps: RouterDeps } {
  const asked: string[] = [];
  const registry = createMetricsRegistry();
  const endpoints = Array.from({ length: nodes }, (_, i) => ({
    target: { host: `10.244.${i}.5`, port: 8_443 },
    node: `shop-${i}`,
    isReady: true,
    isServing: true,
  }));
  const service = { name: 'default/hook', endpoints: () => endpoints };
  const deps: RouterDeps = {
    view: {
      isEdge: () => true,
      isConnected: () => true,
      service: () => service,
    } as Partial<ClusterView> as ClusterView,
    tunnel: {
      reaches: () => true,
      open: async ({ peer, target: text }) => {
        asked.push(`${peer} ${text}`);
        const said = answers(asked.length);
        if (said === 'opens') return new PassThrough();
        throw said;
      },
    },
    holders: () => [],
    relay: undefined,
    dial: async () => new PassThrough(),
    clock: systemClock,
    random: () => 0,
    log: silentLogger,
    metrics: createEgressMetrics(registry),
  };
  return { router: createRouter(deps), asked, metrics: () => registry.render(), deps };
}

const hook: Target = { host: '10.96.0.5', port: 443 };
const broke = failure('Unavailable', 'the session broke');

test('where the node of an endpoint does not answer, another endpoint of the Service is asked', async () => {
  const { router, asked, metrics } = routeService(2, (count) => (count === 1 ? broke : 'opens'));
  expect((await router.open(hook, signal)).rule).toBe('service');
  expect(asked).toEqual(['shop-0 10.244.0.5:8443', 'shop-1 10.244.1.5:8443']);
  expect(metrics()).toContain('{rule="service",way="none",outcome="failed"} 1');
  expect(metrics()).toContain('{rule="service",way="tunnel",outcome="opened"} 1');
});

test('three nodes are asked at most, each once, and the last failure is told', async () => {
  for (const [nodes, count] of [
    [2, 2],
    [9, 3],
  ] as const) {
    const { router, asked } = routeService(nodes, (nth) => failure('Unavailable', `failure ${nth}`));
    await expect(router.open(hook, signal)).rejects.toThrow(`failure ${count}`);
    expect(new Set(asked).size).toBe(count);
    expect(asked).toHaveLength(count);
  }
});

test('what a node itself answers for its endpoint is the answer', async () => {
  const { router, asked } = routeService(2, () => failure('Unavailable', 'not that', { status: 502 }));
  await expect(router.open(hook, signal)).rejects.toThrow('not that');
  expect(asked).toHaveLength(1);
});

test('all attempts together have half a minute, however many there are', async () => {
  const clock = createManualClock();
  let asked = 0;
  /** Silent, and given up after 20 s. */
  const silent = async (_: unknown, inner: AbortSignal): Promise<never> => {
    asked += 1;
    await clock.sleep(20_000, inner);
    throw failure('DeadlineExceeded', 'no answer');
  };
  const { deps } = routeService(3, () => 'opens');
  const router = createRouter({
    ...deps,
    clock,
    tunnel: { ...deps.tunnel, open: (request) => silent(request, request.signal) },
  });
  for (const open of [
    () => router.open(hook, signal),
    () =>
      createRouter({
        ...deps,
        clock,
        tunnel: { ...deps.tunnel, reaches: () => false },
        holders: () => ['a', 'b', 'c'].map((server) => ({ server, egress: server })),
        relay: (request) => silent(request, request.signal),
      }).openNode('shop-1', target, signal),
  ]) {
    asked = 0;
    const [failed] = await Promise.allSettled([
      open(),
      clock.advance(20_000).then(() => clock.advance(10_000)),
    ]);
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'DeadlineExceeded' } });
    expect(String((failed as PromiseRejectedResult).reason)).toMatch(/took longer than 30000 ms$/);
    expect(asked).toBe(2);
  }
});
