import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SelvedgeError, hasCode, systemClock, withDeadline, type Clock, type Random } from '@selvedge/kit';
import { connectRequest, dialTls, headOf } from '../../packages/cloud-manager/src/egress/testing.ts';
import type { KeyPair } from '../bed/pki/certificate.ts';
import { startTarget, type Target } from '../contract/tunnel-world.ts';

const clock: Clock = systemClock;

/** What became of a stream. `wrong`: it ended as if it were complete, or with other bytes than were sent. */
export type StreamOutcome = 'complete' | 'broken' | 'refused' | 'wrong' | 'hung';

/** What streams go to. */
export interface SoakTargets extends AsyncDisposable {
  readonly echo: Target;
  /** Says much, and resets. */
  readonly breaker: Target;
  /** Says more than anybody reads. */
  readonly fountain: Target;
}

const pool = randomBytes(1024 * 1024);
/** A stream of this soak that goes on for longer hangs. */
const longestMs = 45_000;

export async function startSoakTargets(): Promise<SoakTargets> {
  const echo = await startTarget((socket) => void socket.pipe(socket));
  const breaker = await startTarget((socket) => {
    socket.once('data', () => socket.write(pool.subarray(0, 100_000), () => socket.resetAndDestroy()));
  });
  const fountain = await startTarget((socket) => {
    socket.resume().once('end', () => socket.end());
    socket.write(pool);
  });
  return {
    echo,
    breaker,
    fountain,
    async [Symbol.asyncDispose]() {
      for (const target of [echo, breaker, fountain]) await target[Symbol.asyncDispose]();
    },
  };
}

export interface StreamDeps {
  readonly targets: SoakTargets;
  readonly agents: readonly string[];
  readonly egressPorts: readonly number[];
  readonly ca: string;
  readonly pair: KeyPair;
  readonly random: Random;
  /** How often a server was killed so far: what it carried cannot be told from what ended. */
  readonly kills: () => number;
}

/** All that comes; rejects if it breaks. */
async function allOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const events = ['readable', 'end', 'close'] as const;

/** The next so many bytes, or fewer at the end; rejects if it breaks. */
async function next(socket: Socket, length: number): Promise<string> {
  for (;;) {
    const said = socket.read(length) as Buffer | null;
    if (said !== null) return said.toString();
    if (socket.errored !== null) throw socket.errored;
    if (socket.readableEnded || socket.closed) return '';
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const event of events) socket.on(event, resolve);
    await promise;
    for (const event of events) socket.off(event, resolve);
  }
}

type Work = (socket: TLSSocket, random: Random) => Promise<'complete' | 'wrong'>;

const works: Record<'echo' | 'talk' | 'abandon' | 'break' | 'stall', Work> = {
  async echo(socket, random) {
    const data = pool.subarray(0, Math.floor(random() * pool.length));
    socket.end(data);
    return (await allOf(socket)).equals(data) ? 'complete' : 'wrong';
  },
  async talk(socket, random) {
    for (let left = 1 + Math.floor(random() * 10); left > 0; left -= 1) {
      const words = `${random()}`;
      socket.write(words);
      if ((await next(socket, words.length)) !== words) return 'wrong';
      await clock.sleep(random() * 200);
    }
    socket.end();
    await allOf(socket);
    return 'complete';
  },
  async abandon(socket, random) {
    socket.write(pool.subarray(0, 200_000));
    await clock.sleep(random() * 100);
    return 'complete';
  },
  async break(socket) {
    socket.write('break');
    await allOf(socket);
    return 'wrong';
  },
  async stall(socket, random) {
    await clock.sleep(random() * 2_000);
    socket.resetAndDestroy();
    return 'complete';
  },
};
const kinds = ['echo', 'talk', 'abandon', 'break', 'stall'] as const;

const pick = <T>(all: readonly T[], random: Random): T => {
  const one = all[Math.floor(random() * all.length)];
  if (one === undefined) throw new SelvedgeError('nothing to pick from', { code: 'Internal' });
  return one;
};

const targetOf = (kind: (typeof kinds)[number], { echo, breaker, fountain }: SoakTargets): Target =>
  kind === 'break' ? breaker : kind === 'stall' ? fountain : echo;

/** Opens a stream by the egress of one of the servers and uses it. */
async function useOne(kind: (typeof kinds)[number], deps: StreamDeps): Promise<StreamOutcome> {
  const { random, ca, pair, kills } = deps;
  const before = kills();
  const port = pick(deps.egressPorts, random);
  const socket = await dialTls({ port, ca, pair });
  try {
    socket.write(connectRequest(`${pick(deps.agents, random)}:${targetOf(kind, deps.targets).port}`));
    const head = await headOf(socket);
    if (!head.startsWith('HTTP/1.1 200 ')) return 'refused';
    const outcome = await works[kind](socket, random);
    return outcome === 'wrong' && kills() > before ? 'broken' : outcome;
  } catch {
    return kind === 'break' ? 'complete' : 'broken';
  } finally {
    socket.destroy();
  }
}

/** One stream, which should neither lie nor hang, and what it was for. */
export async function soakStream(deps: StreamDeps): Promise<readonly [StreamOutcome, string]> {
  const kind = pick(kinds, deps.random);
  try {
    const wait = { what: 'a stream', timeoutMs: longestMs };
    return [await withDeadline(wait, clock, () => useOne(kind, deps)), kind];
  } catch (error) {
    if (hasCode(error, 'DeadlineExceeded')) return ['hung', kind];
    throw error;
  }
}
