import type { HeldBytes } from './byte-shares.ts';

/** What the source of a piece has read ahead, and what compresses it: about so many bytes, and the piece itself once more. */
const sourceBytes = 64 * 1024;

/**
 * A streamed answer. A piece counts from when it is given out until the next one is asked for, which is when the client has
 * taken it: what waits for nobody counts for nothing.
 */
export async function* countPieces(
  pieces: AsyncIterable<Uint8Array>,
  held: HeldBytes,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of pieces) {
    held.grow(2 * piece.byteLength + sourceBytes);
    yield piece;
    held[Symbol.dispose]();
  }
}
