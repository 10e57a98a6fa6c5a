import { randomBytes } from 'node:crypto';
import { Readable, pipeline } from 'node:stream';
import { systemClock } from '@selvedge/kit';
import type { TunnelServer } from '@selvedge/tunnel/server';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { until } from './kube-bench.ts';
import { startResetProxy } from './reset-proxy.ts';
import { TunnelWorld, ask, joined, open, startEcho, startTarget } from './tunnel-world.ts';

const kib = 1024;
/** A window that grows sixteenfold, and a budget of which 3 streams, 4, and so on up to 32, have another share each. */
const limits = {
  streamWindowBytes: 64 * kib,
  maxStreamWindowBytes: 1_024 * kib,
  maxSessionBytes: 2_048 * kib,
};

const piece = randomBytes(64 * kib);

function* endless(): Generator<Buffer> {
  for (;;) yield piece;
}

/** A transfer without an end, and the bytes that have come. */
async function startTransfer(to: 'server' | 'agent', server: TunnelServer) {
  let bytes = 0;
  const count = (chunk: Buffer): void => void (bytes += chunk.length);
  const target = await startTarget((socket) => {
    if (to === 'agent') socket.on('data', count);
    else pipeline(Readable.from(endless()), socket, () => undefined);
  });
  const stream = await open(server, target.address);
  if (to === 'server') stream.on('data', count);
  else pipeline(Readable.from(endless()), stream, () => undefined);
  return {
    stream,
    get bytes() {
      return bytes;
    },
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}

describe('the window of streams', () => {
  it.each(['server', 'agent'] as const)(
    'that the %s has let grow shrinks for a burst of them, and the session lives on',
    async (end) => {
      await using world = await TunnelWorld.create();
      await using echo = await startEcho();
      const server = await world.server({ limits });
      await using line = await startResetProxy(server.ports[0] ?? 0);
      await world.agent({ servers: [line.port], limits });
      await joined(server);
      line.delay(20);
      await using transfer = await startTransfer(end, server);
      const grown = async (): Promise<boolean> => {
        const before = transfer.bytes;
        await ask(await open(server, echo.address), 'a round trip, and another');
        return transfer.bytes - before >= limits.maxStreamWindowBytes;
      };
      await waitFor({ what: 'the window to grow', everyMs: 5 }, systemClock, grown);
      const burst = await Promise.all(Array.from({ length: 40 }, () => open(server, echo.address)));
      const answers = await Promise.all(burst.map((stream, at) => ask(stream, `words ${at}`)));
      expect(answers).toEqual(answers.map((_, at) => `words ${at}`));
      const before = transfer.bytes;
      await until('the transfer to go on', () => transfer.bytes > before + limits.maxSessionBytes);
      expect(server.sessions).toMatchObject([{ id: 1, state: { kind: 'live' } }]);
      expect(transfer.stream.destroyed).toBe(false);
      transfer.stream.destroy();
    },
  );
});
