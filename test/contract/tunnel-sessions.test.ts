import { once } from 'node:events';
import { connect } from 'node:net';
import { hasCode, systemClock } from '@selvedge/kit';
import { createManualClock, recordingLogger } from '@selvedge/kit/testing';
import type { TunnelCredentials } from '@selvedge/tunnel';
import type { SessionChange } from '@selvedge/tunnel/server';
import { describe, expect, it } from 'vitest';
import { newAuthority, openAuthority } from '../bed/pki/certificate.ts';
import { startConnectProxy } from './connect-proxy.ts';
import { until } from './kube-bench.ts';
import { startResetProxy } from './reset-proxy.ts';
import {
  TunnelWorld,
  ask,
  briefly,
  joined,
  open,
  startEcho,
  startTarget,
  type WorldAgent,
} from './tunnel-world.ts';

const { signal } = new AbortController();

/** Why the first link of an agent waits. */
function failureOf(agent: WorldAgent): string {
  const state = agent.links[0]?.state;
  return state?.kind === 'waiting' && state.error instanceof Error
    ? `${state.error.message}: ${String((state.error.cause as Error | undefined)?.message)}`
    : '';
}

const fails = (agent: WorldAgent, words: RegExp): Promise<true> =>
  until(`a failure like ${words.source}`, () => words.test(failureOf(agent)));

describe('a session', () => {
  it('is seen with its facts, from its beginning to its end', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server();
    const changes: SessionChange[] = [];
    server.onChange((change) => changes.push(change));
    const agent = await world.agent({ servers: [...server.ports] });
    await joined(server);
    const stream = await open(server, echo.address);
    expect(server.sessions).toMatchObject([
      {
        peer: 'node-1',
        direction: 'reverse',
        carrier: 'tls',
        version: 1,
        streams: 1,
        state: { kind: 'live' },
        remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      },
    ]);
    expect(agent.links).toMatchObject([{ state: { kind: 'up', carrier: 'tls', version: 1 } }]);
    server.end('node-1', 'banned by the operator');
    await expect(once(stream.resume(), 'end')).rejects.toMatchObject({ message: 'banned by the operator' });
    await until('the end', () => changes.some(({ kind }) => kind === 'ended'));
    expect(changes[0]).toMatchObject({ kind: 'opened', session: { state: { kind: 'live' } } });
    expect(changes.find(({ kind }) => kind === 'ended')).toMatchObject({
      session: { state: { kind: 'ended', reason: 'banned by the operator' } },
    });
  });

  it.each([
    ['::', '127.0.0.1', /^127\.0\.0\.1:\d+$/],
    ['::', '[::1]', /^\[::1\]:\d+$/],
    ['::1', '[::1]', /^\[::1\]:\d+$/],
  ])(
    'with a server on %s from %s is shown with an address that others can read',
    async (host, from, remote) => {
      await using world = await TunnelWorld.create();
      const server = await world.server({ host });
      for (const carrier of ['tls', 'websocket'] as const) {
        const address = `${from}:${server.ports[0]}`;
        const agent = await world.agent({ servers: [{ address }], carriers: [carrier] });
        await joined(server);
        expect(server.sessions.map((session) => session.remote)).toEqual([expect.stringMatching(remote)]);
        expect(agent.links[0]?.sessions.map((session) => session.remote)).toEqual([address]);
        await agent.stop();
        await until('it to be gone', () => server.sessions.length === 0);
      }
    },
  );

  it('comes back after a cut, and after the server was away', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server();
    await using proxy = await startResetProxy(server.ports[0] ?? 0);
    await world.agent({ servers: [proxy.port] });
    await joined(server);
    const stream = await open(server, echo.address);
    proxy.refuse();
    await expect(once(stream.resume(), 'end')).rejects.toMatchObject({ code: 'Unavailable' });
    await until('the cut to be seen', () => !server.reaches('node-1'));
    proxy.allow();
    await joined(server);
    expect(await ask(await open(server, echo.address), 'back')).toBe('back');
  });

  it('that is silent is given up by both ends', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server({ timeouts: briefly });
    await using proxy = await startResetProxy(server.ports[0] ?? 0);
    const agent = await world.agent({ servers: [proxy.port], timeouts: briefly });
    await joined(server);
    const stream = await open(server, echo.address);
    proxy.freeze();
    await expect(once(stream.resume(), 'end')).rejects.toMatchObject({
      code: 'Unavailable',
      cause: { code: 'DeadlineExceeded' },
    });
    await until('the agent to see it', () => agent.links[0]?.state.kind !== 'up');
    await until('the target to be left alone', () => echo.sockets.size === 0);
  });

  it('of the same node replaces one that is dead, and streams do not wait for longer than a ping', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server({ timeouts: { pingMs: 300 } });
    await using proxy = await startResetProxy(server.ports[0] ?? 0);
    await world.agent({ servers: [proxy.port] });
    await joined(server);
    proxy.freeze();
    const changes: SessionChange[] = [];
    server.onChange((change) => changes.push(change));
    await world.agent({ servers: [...server.ports] });
    await until('the second', () => changes.some(({ kind }) => kind === 'opened'));
    expect(changes[0]?.session.state).toEqual({ kind: 'provisional' });
    expect(await ask(await open(server, echo.address), 'to the second')).toBe('to the second');
    expect(server.sessions.map(({ id }) => id)).toEqual([2]);
  });

  it('of the same node waits, visible, as long as the first one answers', async () => {
    await using world = await TunnelWorld.create();
    const server = await world.server();
    const dial = async (): Promise<never> => Promise.reject(new Error('from the second'));
    await using echo = await startEcho();
    const first = await world.agent({ servers: [...server.ports] });
    await joined(server);
    await world.agent({ servers: [...server.ports], dial });
    await until('both', () => server.sessions.length === 2);
    expect(server.sessions.map(({ state }) => state.kind)).toEqual(['live', 'provisional']);
    expect(await ask(await open(server, echo.address), 'to the first')).toBe('to the first');
    await first.stop();
    await until('the second', () => server.sessions.length === 1 && server.reaches('node-1'));
    await expect(open(server, echo.address)).rejects.toThrow('from the second');
  });

  it('is refused when a peer has as many as it may have', async () => {
    await using world = await TunnelWorld.create();
    const server = await world.server({ limits: { maxSessionsPerPeer: 1 } });
    await world.agent({ servers: [...server.ports] });
    await joined(server);
    const second = await world.agent({ servers: [...server.ports] });
    await fails(second, /node-1 has 1 sessions here already/);
    const other = await world.agent({ servers: [...server.ports], name: 'node-2' });
    await joined(server, 'node-2');
    expect(other.links[0]?.state.kind).toBe('up');
  });

  it('with a new certificate takes over, while what runs in the old one goes on', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server();
    const credentials = [await world.node('node-1'), await world.node('node-1')];
    let current = 0;
    const source = async () => credentials[current] ?? Promise.reject(new Error('none'));
    const agent = await world.agent({ servers: [...server.ports], credentials: source });
    await joined(server);
    const old = await open(server, echo.address);
    current = 1;
    agent.renew();
    await until('the new one', () =>
      server.sessions.some(({ id, state }) => id === 2 && state.kind === 'live'),
    );
    expect(server.sessions.map(({ state }) => state.kind)).toEqual(['draining', 'live']);
    const fresh = await open(server, echo.address);
    expect(server.sessions.map(({ streams }) => streams)).toEqual([1, 1]);
    expect(await ask(old, 'old')).toBe('old');
    expect(await ask(fresh, 'new')).toBe('new');
    await until('the old one to end', () => server.sessions.length === 1);
  });

  it('with a new certificate also takes over if it comes while one is being opened', async () => {
    await using world = await TunnelWorld.create();
    const server = await world.server();
    const [old, fresh] = [await world.node('node-1'), await world.node('node-1')];
    const asked = Promise.withResolvers<void>();
    const given = Promise.withResolvers<typeof old>();
    let calls = 0;
    const credentials = async (): Promise<typeof old> => {
      calls += 1;
      asked.resolve();
      return calls === 1 ? given.promise : fresh;
    };
    const agent = await world.agent({ servers: [...server.ports], credentials });
    await asked.promise;
    agent.renew();
    given.resolve(old);
    await until('the new one', () => calls > 1 && server.reaches('node-1'));
    await until('the old one to end', () => server.sessions.map(({ id }) => id).join() === '2');
  });
});

describe('a server that drains', () => {
  it('is dialled again at once, whatever the wait after a failure', async () => {
    await using world = await TunnelWorld.create();
    const [drainMs, hourMs] = [100, 3_600_000];
    const [one, two] = [await world.server({ timeouts: { drainMs } }), await world.server()];
    let [port = 0] = one.ports;
    await using balancer = await startTarget((socket) => {
      const server = connect(port, '127.0.0.1').on('error', () => undefined);
      socket.pipe(server).pipe(socket);
    });
    let passedMs = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passedMs };
    const timeouts = { drainMs, retryMs: hourMs, maxRetryMs: hourMs };
    await world.agent({ servers: [balancer.port], clock, random: () => 0.5, timeouts });
    await joined(one);
    passedMs = hourMs;
    [port = 0] = two.ports;
    await one.drain();
    await joined(two);
  });

  it('lets streams end, and has new ones asked of the other server', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const [one, two] = [await world.server(), await world.server()];
    const agent = await world.agent({ servers: [...one.ports, ...two.ports] });
    await Promise.all([joined(one), joined(two)]);
    const stream = await open(one, echo.address);
    let isDrained = false;
    const drained = one.drain('new version').then(() => (isDrained = true));
    await until('it to be told', () =>
      agent.links.some(({ sessions }) =>
        sessions.some(({ state }) => state.kind === 'draining' && state.reason === 'new version'),
      ),
    );
    expect([one.reaches('node-1'), two.reaches('node-1'), isDrained]).toEqual([false, true, false]);
    await expect(open(one, echo.address)).rejects.toMatchObject({ details: { noSession: true } });
    expect(await ask(await open(two, echo.address), 'elsewhere')).toBe('elsewhere');
    expect(await ask(stream, 'to the end')).toBe('to the end');
    await drained;
    expect(one.sessions).toEqual([]);
  });

  it('waits no longer than it is to', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server({ timeouts: { drainMs: 100 } });
    await world.agent({ servers: [...server.ports] });
    await joined(server);
    const stream = await open(server, echo.address);
    const broken = once(stream.resume(), 'end');
    await Promise.all([server.drain(), expect(broken).rejects.toThrow('the time to drain is over')]);
  });

  it('breaks none of the streams that come and go while servers are replaced one by one', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const servers = [await world.server(), await world.server()];
    await world.agent({ servers: servers.flatMap(({ ports }) => [...ports]) });
    await Promise.all(servers.map((server) => joined(server)));
    const over = new AbortController();
    let asked = 0;
    const client = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const server = servers.find((one) => one.reaches('node-1'));
        if (server === undefined) throw new Error('no server has a session');
        const words = `words ${(asked += 1)}`;
        try {
          expect(await ask(await open(server, echo.address), words)).toBe(words);
        } catch (error) {
          if (!hasCode(error, 'Unavailable') || error.details['noSession'] !== true) throw error;
        }
      }
    };
    const clients = Array.from({ length: 8 }, client);
    await until('some to have come and gone', () => asked > 50);
    await servers[0]?.drain();
    const before = asked;
    await until('some more', () => asked > before + 50);
    over.abort();
    await Promise.all(clients);
  });
});

describe('who may have a session', () => {
  it.each([
    ['of another authority', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['that has expired', 'CERT_HAS_EXPIRED'],
    ["that is a server's", 'INVALID_PURPOSE'],
  ] as const)('is nobody with a certificate %s: %s', async (what, reason) => {
    await using world = await TunnelWorld.create();
    const strangers = await openAuthority(await newAuthority('cluster', Date.now()), Date);
    const foreign = await strangers.issue({ commonName: 'system:node:node-1', usages: ['client'] });
    const cases: Readonly<Record<typeof what, () => Promise<TunnelCredentials>>> = {
      'of another authority': async () => ({
        certificate: foreign.certificate,
        privateKey: foreign.key,
        certificateAuthority: world.authority.keyPair.certificate,
      }),
      'that has expired': () => world.node('node-1', { lifetimeMs: -60_000 }),
      "that is a server's": () => world.node('node-1', { usages: ['server'] }),
    };
    const credentials = await cases[what]();
    for (const carrier of ['tls', 'websocket'] as const) {
      const log = recordingLogger();
      const server = await world.server({ log });
      const way = { servers: [...server.ports], carriers: [carrier] };
      await fails(await world.agent({ ...way, credentials: async () => credentials }), /broke/);
      const refusal = log.lines.find(({ text }) => text === 'handshake failed');
      expect(refusal?.fields).toMatchObject({ why: 'untrusted', detail: reason });
      expect([server.sessions, server.reaches('node-1')]).toEqual([[], false]);
      expect(server.metrics.render()).toMatch(/selvedge_tunnel_sessions_total\{outcome="untrusted"\} [1-9]/);
    }
  });

  it('is a node, and under its own name', async () => {
    await using world = await TunnelWorld.create();
    const server = await world.server();
    const user = await world.issue({
      commonName: 'admin',
      organizations: ['system:masters'],
      usages: ['client'],
    });
    const agent = await world.agent({ servers: [...server.ports], credentials: async () => user });
    await fails(agent, /this is no node/);
    expect([server.sessions, server.reaches('node-1')]).toEqual([[], false]);
  });

  it('and a server that is not whom the agent asked for gets none', async () => {
    await using world = await TunnelWorld.create();
    const server = await world.server();
    const address = `127.0.0.1:${server.ports[0]}`;
    const agent = await world.agent({ servers: [{ address, serverName: 'other.test' }], carriers: ['tls'] });
    await fails(agent, /altnames/);
    const named = await world.agent({ servers: [{ address, serverName: 'tunnel.test' }] });
    await joined(server);
    expect(named.links[0]?.state.kind).toBe('up');
  });
});

describe('the way to the server', () => {
  it('falls back to the WebSocket where only HTTP comes through, and remembers', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server({ entry: 'http' });
    const address = `127.0.0.1:${server.ports[0]}`;
    const remembered = new Map<string, 'tls' | 'websocket'>();
    const memory = { get: (name: string) => remembered.get(name), set: remembered.set.bind(remembered) };
    const webSocketUrl = `ws://${address}/selvedge/tunnel`;
    const agent = await world.agent({ servers: [{ address, webSocketUrl }], memory });
    await joined(server);
    expect(agent.links[0]?.state).toMatchObject({ kind: 'up', carrier: 'websocket' });
    expect(await ask(await open(server, echo.address), 'hello')).toBe('hello');
    expect(remembered.get(address)).toBe('websocket');
  });

  it.each(['tls', 'websocket'] as const)(
    'leads through a proxy with credentials, over %s',
    async (carrier) => {
      await using world = await TunnelWorld.create();
      await using echo = await startEcho();
      await using proxy = await startConnectProxy({ credentials: 'shop:secret' });
      const server = await world.server();
      const way = { servers: [...server.ports], carriers: [carrier] };
      const stranger = await world.agent({ ...way, name: 'node-2', proxy: { url: proxy.url } });
      await fails(stranger, /answered 407/);
      const account = { url: proxy.url, username: 'shop', password: 'secret' };
      await world.agent({ ...way, proxy: account });
      await joined(server);
      expect(await ask(await open(server, echo.address), 'hello')).toBe('hello');
      expect(new Set(proxy.targets)).toEqual(new Set([`127.0.0.1:${server.ports[0]}`]));
    },
  );

  it('is tried again and again, politely', async () => {
    await using world = await TunnelWorld.create();
    const clock = createManualClock();
    const timeouts = { retryMs: 20, maxRetryMs: 100 };
    const agent = await world.agent({ servers: [1], timeouts, clock, random: () => 1 });
    const waits: number[] = [];
    const states = new Set<string>();
    agent.onChange(({ state }) => {
      states.add(state.kind);
      if (state.kind === 'waiting') waits.push(state.untilMs - clock.now());
    });
    for (const wait of [20, 40, 80, 100, 100]) {
      await until(`a wait of ${wait} ms`, () => waits.at(-1) === wait && clock.sleepers === 1);
      await expect(agent.openForward('x', signal)).rejects.toMatchObject({ code: 'Unavailable' });
      expect(waits.splice(0)).toEqual([wait]);
      await clock.advance(wait - 1);
      expect(agent.links[0]?.state.kind).toBe('waiting');
      await clock.advance(1);
    }
    expect(states).not.toContain('up');
  });
});
