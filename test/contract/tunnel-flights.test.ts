import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { until } from './kube-bench.ts';
import { startResetProxy } from './reset-proxy.ts';
import { TunnelWorld, ask, joined, open, startEcho } from './tunnel-world.ts';

const { signal } = new AbortController();

it.each([
  { direction: 'reverse', carrier: 'tls', there: 'down', back: 'up' },
  { direction: 'reverse', carrier: 'websocket', there: 'down', back: 'up' },
  { direction: 'forward', carrier: 'tls', there: 'up', back: 'down' },
  { direction: 'forward', carrier: 'websocket', there: 'up', back: 'down' },
] as const)(
  'a $direction stream over $carrier is open after one flight there and one back',
  async ({ direction, carrier, there, back }) => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server({ service: () => async () => connect(echo.port, '127.0.0.1') });
    await using line = await startResetProxy(server.ports[0] ?? 0);
    const address = `127.0.0.1:${line.port}`;
    const agent = await world.agent({ servers: [{ address }], carriers: [carrier] });
    await joined(server);
    const begin = () =>
      direction === 'reverse' ? open(server, echo.address) : agent.openForward('echo', signal);
    await ask(await begin(), 'a session of that direction is there');
    await until('the end of that stream', () => echo.sockets.size === 0);
    // There: what is said without having heard anything.
    line.freeze(back);
    const opening = begin();
    await until('the target to be dialled', () => echo.sockets.size === 1);
    // Back: what is answered to that alone.
    line.freeze(there);
    line.thaw(back);
    const stream = await opening;
    line.thaw(there);
    expect(await ask(stream, 'payload')).toBe('payload');
  },
);
