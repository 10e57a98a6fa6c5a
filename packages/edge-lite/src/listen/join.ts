import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isAbort } from '@selvedge/kit';

/**
 * Bytes both ways, as fast as the slower side takes them. One side's end is passed on and the other direction goes on;
 * an error of one ends both. Resolves once both directions have ended; nothing is left of either then.
 */
export async function join(a: Duplex, b: Duplex, signal: AbortSignal): Promise<void> {
  // Each direction listens for the ends of both.
  for (const side of [a, b]) side.setMaxListeners(Math.max(side.getMaxListeners(), 32));
  const [there, back] = await Promise.allSettled([
    pipeline(a, b, { signal, end: true }),
    pipeline(b, a, { signal, end: true }),
  ]);
  a.destroy();
  b.destroy();
  for (const way of [there, back]) {
    if (way.status === 'rejected' && !isAbort(way.reason)) throw way.reason;
  }
}
