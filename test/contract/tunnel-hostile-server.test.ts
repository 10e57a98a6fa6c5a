import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { fc } from '@fast-check/vitest';
import { createManualClock } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import { until } from './kube-bench.ts';
import { answerPings, connectFrame, frame, preface, settings, startFalseServer } from './tunnel-hostile.ts';
import { TunnelWorld, ask, joined, open, startEcho } from './tunnel-world.ts';

const mib = 1024 * 1024;
const greeting = Buffer.concat([preface, settings]);

/** Each costs the peer that sends it its session. */
const badFrames = [
  frame(0, 0, 1, Buffer.alloc(1_000), 2 ** 24 - 1),
  frame(0, 0, 0, Buffer.from('x')),
  frame(8, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff])),
  frame(1, 4, 2, Buffer.from([0x82])),
  frame(4, 0, 0, Buffer.from([0, 4, 0])),
  frame(6, 0, 0, Buffer.alloc(7)),
  frame(7, 0, 0, Buffer.alloc(3)),
  frame(1, 4, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])),
];

describe('a server that has lost its mind', () => {
  it('costs an agent nothing but a session, which is tried again ever more slowly', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 2_000 }).map((random) => Buffer.from(random));
    const random = fc.sample(bytes, { numRuns: 25, seed: 1 });
    const words = [
      ...random,
      ...random.map((one) => Buffer.concat([greeting, one])),
      ...badFrames.map((one) => Buffer.concat([greeting, one])),
    ];
    let met = 0;
    await using mad = await startFalseServer(world, (socket) => {
      socket.resume().end(words[met] ?? greeting);
      met += 1;
    });
    const sane = await world.server();
    const clock = createManualClock();
    const [retryMs, maxRetryMs] = [20, 100];
    const agent = await world.agent({
      servers: [mad.port, ...sane.ports],
      carriers: ['tls'],
      clock,
      random: () => 1,
      timeouts: { retryMs, maxRetryMs },
    });
    const link = agent.links[0];
    const waits: number[] = [];
    agent.onChange(({ server, state }) => {
      if (server === link?.server && state.kind === 'waiting') waits.push(state.untilMs - clock.now());
    });
    for (const at of words.keys()) {
      await until(`a wait after ${words[at]?.toString('hex')}`, () => waits.length > at);
      expect([at, waits.length, waits[at]]).toEqual([at, at + 1, Math.min(maxRetryMs, retryMs * 2 ** at)]);
      await clock.advance(maxRetryMs);
    }
    expect(met).toBeGreaterThanOrEqual(words.length);
    await joined(sane);
    expect(await ask(await open(sane, echo.address), 'undisturbed')).toBe('undisturbed');
  });

  const pings = Array.from({ length: 4_000 }, () => frame(6, 0, 0, Buffer.alloc(8)));
  const settingses = Array.from({ length: 4_000 }, () => settings);
  it.each([
    ['pings', Buffer.concat(pings)],
    ['settings', Buffer.concat(settingses)],
  ])('that floods with %s and never reads loses its session, and costs little', async (_what, flood) => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const pour = (socket: TLSSocket): void => {
      socket.pause();
      let room = true;
      for (let i = 0; i < 16 && room && !socket.destroyed; i += 1) room = socket.write(flood);
    };
    const met: TLSSocket[] = [];
    await using mad = await startFalseServer(world, (socket) => {
      met.push(socket);
      socket.write(greeting);
      answerPings(socket);
    });
    const sane = await world.server();
    const agent = await world.agent({
      servers: [mad.port, ...sane.ports],
      carriers: ['tls'],
      limits: { maxSessionBytes: mib },
    });
    await until('both links', () => agent.links.every(({ state }) => state.kind === 'up'));
    const broken = Promise.withResolvers<void>();
    agent.onChange(({ state }) => (state.kind === 'waiting' ? broken.resolve() : undefined));
    const before = process.memoryUsage().rss;
    for (const socket of met.splice(0, 1)) {
      socket.on('drain', () => pour(socket));
      pour(socket);
    }
    await broken.promise;
    expect(process.memoryUsage().rss - before).toBeLessThan(176 * mib);
    expect(await ask(await open(sane, echo.address), 'undisturbed')).toBe('undisturbed');
  });

  it('that asks for streams and takes them back has few dials under way, and none in the end', async () => {
    await using world = await TunnelWorld.create();
    await using echo = await startEcho();
    const [maxStreams, count] = [100, 5_000];
    const cancel = Buffer.from([0, 0, 0, 8]);
    // All at once, then each on its own.
    const ids = Array.from({ length: count }, (_, at) => 2 * at + 1);
    const back = (id: number): Buffer => frame(3, 0, id, cancel);
    const later = ids.map((id) => id + 2 * count);
    const burst = [
      ...ids.map((id) => connectFrame(id, 'a:1')),
      ...ids.map(back),
      ...later.flatMap((id) => [connectFrame(id, 'a:1'), back(id)]),
    ];
    const ended = Promise.withResolvers<void>();
    await using mad = await startFalseServer(world, (socket) => {
      socket
        .once('close', ended.resolve)
        .resume()
        .end(Buffer.concat([greeting, ...burst]));
    });
    const sane = await world.server();
    let [dials, most] = [0, 0];
    const endless = (signal: AbortSignal): Promise<never> => {
      most = Math.max(most, (dials += 1));
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          dials -= 1;
          reject(signal.reason);
        });
      });
    };
    await world.agent({
      servers: [mad.port, ...sane.ports],
      carriers: ['tls'],
      limits: { maxStreams },
      timeouts: { retryMs: 60_000, maxRetryMs: 60_000 },
      random: () => 1,
      dial: async ({ host, port }, signal) =>
        host === 'a' ? endless(signal) : connect({ host, port, allowHalfOpen: true }),
    });
    await Promise.all([ended.promise, joined(sane)]);
    await until('the dials to be given up', () => dials === 0);
    expect(most).toBe(maxStreams);
    expect(await ask(await open(sane, echo.address), 'undisturbed')).toBe('undisturbed');
  });
});
