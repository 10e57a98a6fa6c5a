import type { Readable, Writable } from 'node:stream';
import { type Clock, type Random, writeChunk } from '@selvedge/kit';
import type { ProxyFaults } from './options.ts';

interface Delayed {
  readonly dueMs: number;
  /** Undefined at the end of the stream. */
  readonly chunk: Buffer | undefined;
}

export interface DelayLineDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** What holds at this moment: it may change while bytes are on their way. */
  readonly faults: () => ProxyFaults;
}

/** Bytes on their way in one direction of one connection, at most. */
const maxBytesOnTheWay = 8 * 1024 * 1024;

/** The chunks of one direction that are on their way. */
class Line {
  readonly #chunks: Delayed[] = [];
  #bytes = 0;
  #changed = Promise.withResolvers<void>();

  async put(delayed: Delayed): Promise<void> {
    this.#chunks.push(delayed);
    this.#bytes += delayed.chunk?.length ?? 0;
    this.#notify();
    while (this.#bytes > maxBytesOnTheWay) await this.#changed.promise;
  }

  async take(): Promise<Delayed> {
    for (;;) {
      const next = this.#chunks.shift();
      if (next !== undefined) return next;
      await this.#changed.promise;
    }
  }

  arrived(bytes: number): void {
    this.#bytes -= bytes;
    this.#notify();
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/**
 * Copies `from` to `to`, each chunk late by the latency plus a random part of the jitter, never out of order. The
 * chunks are on their way side by side, as on a long line: latency does not limit the rate below `maxBytesOnTheWay`.
 */
export async function delayLine(
  streams: { readonly from: Readable; readonly to: Writable },
  deps: DelayLineDeps,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random } = deps;
  const line = new Line();
  let lastDueMs = 0;
  const due = (): number => {
    const { latencyMs, jitterMs } = deps.faults();
    lastDueMs = Math.max(lastDueMs, clock.monotonicMs() + latencyMs + jitterMs * random());
    return lastDueMs;
  };
  const read = async (): Promise<void> => {
    for await (const chunk of streams.from) await line.put({ dueMs: due(), chunk: chunk as Buffer });
    await line.put({ dueMs: due(), chunk: undefined });
  };
  const write = async (): Promise<void> => {
    for (;;) {
      const { dueMs, chunk } = await line.take();
      // A timer takes a millisecond at least: waiting for what is due would limit the rate.
      const waitMs = dueMs - clock.monotonicMs();
      if (waitMs > 0) await clock.sleep(waitMs, signal);
      if (chunk === undefined) break;
      await writeChunk(streams.to, chunk, signal);
      line.arrived(chunk.length);
    }
    streams.to.end();
  };
  await Promise.all([read(), write()]);
}
