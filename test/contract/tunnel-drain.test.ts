import { once } from 'node:events';
import { connect } from 'node:net';
import { hasCode, systemClock } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import { until } from './kube-bench.ts';
import { TunnelWorld, ask, joined, open, startEcho, startTarget } from './tunnel-world.ts';

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
