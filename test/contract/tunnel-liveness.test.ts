import { createManualClock } from '@selvedge/kit/testing';
import { expect, it } from 'vitest';
import { until } from './kube-bench.ts';
import { startResetProxy } from './reset-proxy.ts';
import { TunnelWorld, ask, joined, open, startEcho } from './tunnel-world.ts';

it.each(['server', 'agent'] as const)(
  'as it is by default, the %s waits 10 s for a peer that is silent, and no longer than 15 s',
  async (end) => {
    const clock = createManualClock();
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server(end === 'server' ? { clock } : {});
    await using line = await startResetProxy(server.ports[0] ?? 0);
    const agent = await world.agent({ servers: [line.port], ...(end === 'agent' ? { clock } : {}) });
    const holds = (): boolean =>
      end === 'server' ? server.reaches('node-1') : agent.links[0]?.state.kind === 'up';
    await joined(server);
    // The worst moment to die: bytes that come right after a look are seen at the next one only.
    await clock.advance(1);
    await ask(await open(server, echo.address), 'last words');
    line.freeze();
    await clock.advance(10_000);
    expect(holds()).toBe(true);
    await clock.advance(5_000);
    await until(`the ${end} to notice`, () => !holds());
  },
);
