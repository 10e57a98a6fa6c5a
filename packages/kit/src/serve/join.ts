import type { Duplex } from 'node:stream';
import { isAbort } from '../index.ts';
import { destroyOnAbort, relay } from '../net/index.ts';

/**
 * Bytes both ways, as fast as the slower side takes them. One side's end is passed on and the other direction goes on; an
 * error of one, and the signal, end both. Resolves once nothing is left of either, rejects with the error.
 */
export async function join(a: Duplex, b: Duplex, signal: AbortSignal): Promise<void> {
  for (const side of [a, b]) destroyOnAbort(side, signal, (error) => side.destroy(error));
  const failure = await relay(a, b);
  if (failure !== undefined && !isAbort(failure, signal)) throw failure;
}
