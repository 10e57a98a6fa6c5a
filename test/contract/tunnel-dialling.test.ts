import { createManualClock, recordingLogger } from '@selvedge/kit/testing';
import type { TunnelCredentials } from '@selvedge/tunnel';
import { describe, expect, it } from 'vitest';
import { newAuthority, openAuthority } from '../bed/pki/certificate.ts';
import { startConnectProxy } from './connect-proxy.ts';
import { until } from './kube-bench.ts';
import { TunnelWorld, ask, fails, joined, open, startEcho } from './tunnel-world.ts';

const { signal } = new AbortController();

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
