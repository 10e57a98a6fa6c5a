import { describe, expect, it } from 'vitest';
import { TunnelWorld, ask, joined, open, startEcho } from './tunnel-world.ts';

describe.each(['tls', 'websocket'] as const)('a tunnel over %s', (carrier) => {
  it('carries bytes both ways, and each end of a direction by itself', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server();
    await world.agent({ servers: [...server.ports], carriers: [carrier] });
    await joined(server);
    const stream = await open(server, echo.address);
    expect(await ask(stream, 'hello')).toBe('hello');
  });
});
