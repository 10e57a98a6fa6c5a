import type { Duplex } from 'node:stream';
import { breakOff, destroyOnAbort, relay } from '../net/index.ts';

/**
 * Bytes both ways, as fast as the slower side takes them. One side's end is passed on and the other direction goes on; an
 * error of one, and the signal, break off both. Resolves once nothing is left of either, rejects with the error unless
 * the signal has aborted.
 */
export async function join(a: Duplex, b: Duplex, signal: AbortSignal): Promise<void> {
  for (const side of [a, b]) destroyOnAbort(side, signal, (error) => breakOff(side, error));
  const failure = await relay(a, b);
  if (failure !== undefined && !signal.aborted) throw failure;
}
