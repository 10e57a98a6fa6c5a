import { once } from 'node:events';
import type { SessionChange } from '@selvedge/tunnel/server';
import { describe, expect, it } from 'vitest';
import { until } from './kube-bench.ts';
import { startResetProxy } from './reset-proxy.ts';
import { TunnelWorld, ask, briefly, fails, joined, open, startEcho } from './tunnel-world.ts';

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
