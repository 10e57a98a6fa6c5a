import { once } from 'node:events';
import { type Clock, systemClock } from '@selvedge/kit';
import type { SessionChange } from '@selvedge/tunnel/server';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { TunnelWorld, ask, joined, open, startEcho } from './tunnel-world.ts';

const hourMs = 3_600_000;

/** A clock that can be put on. */
function settableClock(): Clock & { passedMs: number } {
  const clock = { ...systemClock, passedMs: 0, now: () => systemClock.now() + clock.passedMs };
  return clock;
}

describe('a session whose certificate ends', () => {
  const expired = /^the certificate of .+ has ended$/;
  const inTime = (what: string, look: () => boolean): Promise<true> =>
    waitFor({ what }, systemClock, async () => look() || undefined);
  const reasonsOf = (changes: readonly SessionChange[]): readonly string[] =>
    changes.flatMap(({ session: { state } }) => (state.kind === 'draining' ? [state.reason] : []));

  it('drains, and the agent opens another with the one that it has by now', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const clock = settableClock();
    const timeouts = { quietMs: 600, drainMs: 60_000 };
    const server = await world.server({ clock, timeouts });
    const changes: SessionChange[] = [];
    server.onChange((change) => changes.push(change));
    await world.agent({
      servers: [...server.ports],
      timeouts,
      credentials: () => world.node('node-1', { lifetimeMs: hourMs + 2 * clock.passedMs }),
    });
    await joined(server);
    const stream = await open(server, echo.address);
    const [first] = server.sessions;
    clock.passedMs = 2 * hourMs;
    await inTime('the other', () =>
      server.sessions.some(({ id, state }) => id !== first?.id && state.kind === 'live'),
    );
    expect(reasonsOf(changes)[0]).toMatch(expired);
    expect(await ask(stream, 'to the end')).toBe('to the end');
  });

  it('ends in time, with its streams, when the agent has no other', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const server = await world.server({ timeouts: { quietMs: 600, drainMs: 200 } });
    const credentials = await world.node('node-1', { lifetimeMs: 5_000 });
    const agent = await world.agent({ servers: [...server.ports], credentials: async () => credentials });
    await joined(server);
    const stream = await open(server, echo.address);
    await expect(once(stream.resume(), 'end')).rejects.toThrow('the time to drain is over');
    await inTime('the agent to be refused', () => agent.links[0]?.state.kind === 'waiting');
    expect(server.reaches('node-1')).toBe(false);
    await inTime('nothing of it to be left', () => server.sessions.length === 0);
  });

  it("counts for the server's, too", async () => {
    await using world = await TunnelWorld.create();
    const request = { commonName: 'tunnel', usages: ['server'], addresses: ['127.0.0.1'] } as const;
    const credentials = await world.issue({ ...request, lifetimeMs: hourMs });
    const server = await world.server({ credentials: () => credentials });
    const clock = settableClock();
    const agent = await world.agent({ servers: [...server.ports], clock, timeouts: { quietMs: 600 } });
    const reasons = new Set<string>();
    agent.onChange(({ sessions }) => {
      for (const { state } of sessions) if (state.kind === 'draining') reasons.add(state.reason);
    });
    await joined(server);
    clock.passedMs = 2 * hourMs;
    await inTime('it to drain', () => reasons.size > 0);
    expect([...reasons][0]).toMatch(expired);
  });
});
