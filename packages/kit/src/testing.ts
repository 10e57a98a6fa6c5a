import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from './clock.ts';
import type { LogFields, LogLevel, Logger } from './log.ts';
import type { Random } from './random.ts';

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is advanced. Starts at 2026-01-01T00:00:00Z. */
export interface ManualClock extends Clock {
  /** How many sleeps are pending. */
  readonly sleepers: number;
  /** Moves time on, waking sleepers in the order of their due times and letting their continuations run. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock, as a power cut without a battery does; sleeps and monotonic time do not notice. */
  setNow(nowMs: number): void;
  /** Resolves once at least `count` (default 1) sleeps are pending. */
  asleep(count?: number): Promise<void>;
}

/** Lets every continuation that is ready now run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const nextDue = (sleepers: Iterable<Sleeper>, limit: number): Sleeper | undefined =>
  [...sleepers].filter(({ due }) => due <= limit).toSorted((a, b) => a.due - b.due)[0];

export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsed = 0;
  let beginMs = startMs;
  const sleepers = new Set<Sleeper>();
  const waiters = new Set<{ readonly count: number; readonly wake: () => void }>();
  const checkWaiters = (): void => {
    for (const waiter of waiters) {
      if (sleepers.size < waiter.count) continue;
      waiters.delete(waiter);
      waiter.wake();
    }
  };
  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', onAbort);
        sleepers.delete(sleeper);
        resolve();
      };
      const sleeper = { due: elapsed + Math.max(0, ms), wake };
      signal?.addEventListener('abort', onAbort, { once: true });
      sleepers.add(sleeper);
      checkWaiters();
    });
  return {
    now: () => beginMs + elapsed,
    setNow(nowMs) {
      beginMs = nowMs - elapsed;
    },
    monotonicMs: () => elapsed,
    sleep,
    get sleepers() {
      return sleepers.size;
    },
    async advance(ms) {
      const end = elapsed + ms;
      await settle();
      for (let next = nextDue(sleepers, end); next !== undefined; next = nextDue(sleepers, end)) {
        elapsed = next.due;
        next.wake();
        await settle();
      }
      elapsed = end;
      await settle();
    },
    asleep: (count = 1) =>
      new Promise((wake) => {
        waiters.add({ count, wake });
        checkWaiters();
      }),
  };
}

/** A reproducible random source (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * What ends a server and all of its connections at once. Those in a TLS handshake are among them: servers do not count them,
 * and one whose client comes back by itself would take its place while the server waits for its end.
 */
export function endingAtOnce(server: Server): () => Promise<void> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return async () => {
    const ended = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await ended;
  };
}

/** The end of a connection, whose rest nobody wants. Not `once`, which fails at a reset: that is an end like any other. */
export async function hasClosed(socket: Duplex): Promise<void> {
  const closed = Promise.withResolvers<void>();
  socket.on('error', () => undefined).once('close', closed.resolve);
  if (!socket.resume().closed) await closed.promise;
}

export interface RecordedLine {
  readonly level: LogLevel;
  readonly text: string;
  readonly fields: LogFields;
}

/** A logger that keeps its lines. */
export function recordingLogger(
  lines: RecordedLine[] = [],
  base: LogFields = {},
): Logger & { readonly lines: RecordedLine[] } {
  const at =
    (level: LogLevel) =>
    (text: string, fields: LogFields = {}): void => {
      lines.push({ level, text, fields: { ...base, ...fields } });
    };
  return {
    lines,
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    with: (fields) => recordingLogger(lines, { ...base, ...fields }),
  };
}
