import { once } from 'node:events';
import { Duplex, Readable, pipeline } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '@selvedge/kit';
import { expect, it } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import {
  answerPings,
  connectFrame,
  frame,
  member,
  preface,
  settings,
  startFalseServer,
} from './tunnel-hostile.ts';
import { TunnelWorld, ask, joined, open, startEcho } from './tunnel-world.ts';

const mib = 1024 * 1024;
const mostWindow = Buffer.from([0x7f, 0xff, 0xff, 0xff]);
/** Streams may be sent as much as there is: SETTINGS_INITIAL_WINDOW_SIZE, and the window of the connection. */
const generous = Buffer.concat([
  frame(4, 0, 0, Buffer.concat([Buffer.from([0, 4]), mostWindow])),
  frame(8, 0, 0, Buffer.from([0x7f, 0xfe, 0, 0])),
]);
/** The answer 200 to a CONNECT: `:status: 200`, indexed. Source: RFC 7541 appendix A. */
const accept = (stream: number): Buffer => frame(1, 4, stream, Buffer.from([0x88]));

const piece = Buffer.alloc(64 * 1024);

function* endless(): Generator<Buffer> {
  for (;;) yield piece;
}

it('a peer that takes streams, talks on and never reads costs no more than a session may, and nobody else', async () => {
  await using world = await TunnelWorld.create();
  await using echo = await startEcho();
  const server = await world.server({
    limits: { maxSessionBytes: 2 * mib },
    timeouts: { quietMs: 1_200, pingMs: 2_000 },
  });
  await world.agent({ servers: [...server.ports] });
  const socket = await member(world, 'deaf', { port: server.ports[0] ?? 0 });
  answerPings(socket);
  socket.write(generous);
  await Promise.all([joined(server), joined(server, 'deaf')]);
  const neighbour = await open(server, echo.address);
  const streams = [1, 3, 5, 7].map((id) => {
    const opening = open(server, `a:${id}`, 'deaf');
    socket.write(accept(id));
    return opening;
  });
  for (const stream of await Promise.all(streams))
    pipeline(Readable.from(endless()), stream, () => undefined);
  socket.pause();
  // It is heard all the time.
  const talk = (): void => {
    if (!socket.destroyed) socket.write(settings, () => setTimeout(talk, 20));
  };
  talk();
  const gone = async (): Promise<boolean> => !server.reaches('deaf');
  await waitFor({ what: 'the end of its session' }, systemClock, gone);
  expect(await ask(neighbour, 'undisturbed')).toBe('undisturbed');
  socket.destroy();
});

/** A target that never stops talking. */
const fountain = (): Duplex =>
  new Duplex({
    read() {
      this.push(piece);
    },
    write: (_chunk, _encoding, done) => done(),
  });

it('nor does a server cost an agent more that asks for streams, talks on and never reads', async () => {
  await using world = await TunnelWorld.create();
  const met = Promise.withResolvers<TLSSocket>();
  await using deaf = await startFalseServer(world, met.resolve);
  const agent = await world.agent({
    servers: [deaf.port],
    carriers: ['tls'],
    limits: { maxSessionBytes: 2 * mib },
    timeouts: { quietMs: 1_200, pingMs: 5_000 },
    dial: async () => fountain(),
  });
  const socket = await met.promise;
  socket.write(preface);
  answerPings(socket);
  socket.write(generous);
  await waitFor(
    { what: 'the session' },
    systemClock,
    async () => agent.links[0]?.state.kind === 'up' || undefined,
  );
  for (const id of [1, 3, 5, 7]) socket.write(connectFrame(id, `10.0.0.1:${id}`));
  await once(socket, 'data');
  socket.pause();
  const talk = (): void => {
    if (!socket.destroyed) socket.write(settings, () => setTimeout(talk, 20));
  };
  talk();
  const cut = (): boolean => /selvedge_tunnel_cut_streams_total [1-9]/.test(agent.metrics.render());
  await waitFor({ what: 'a cut' }, systemClock, async () => cut() || undefined);
  await waitFor(
    { what: 'its end' },
    systemClock,
    async () => agent.links[0]?.state.kind !== 'up' || undefined,
  );
  socket.destroy();
});
