import type { FileHandle } from 'node:fs/promises';

export interface Tail {
  /** Where the wanted entries begin. */
  readonly startBytes: number;
  /** How many of them are in older files. */
  readonly missing: number;
}

const blockBytes = 64 * 1024;
const newline = 0x0a;

async function readBlock(file: FileHandle, block: Buffer, position: number): Promise<Buffer> {
  const { bytesRead } = await file.read(block, 0, block.length, position);
  return block.subarray(0, bytesRead);
}

/** Steps back over line ends in `block` until none is left to step over: then where it is, else -1. */
function stepBack(block: Buffer, left: { count: number }): number {
  for (
    let at = block.lastIndexOf(newline);
    at >= 0;
    at = at === 0 ? -1 : block.lastIndexOf(newline, at - 1)
  ) {
    if (left.count === 0) return at;
    left.count -= 1;
  }
  return -1;
}

/**
 * Where the last `lines` entries of the first `sizeBytes` bytes begin, found from the end block by block. What follows the
 * last line end is not counted, as the kubelet does not.
 */
export async function findTail(
  file: FileHandle,
  { sizeBytes, lines }: { readonly sizeBytes: number; readonly lines: number },
  signal: AbortSignal,
): Promise<Tail> {
  const left = { count: lines };
  const buffer = Buffer.allocUnsafe(Math.min(blockBytes, sizeBytes));
  for (let end = sizeBytes; end > 0; end -= blockBytes) {
    signal.throwIfAborted();
    const begin = Math.max(0, end - blockBytes);
    const block = await readBlock(file, buffer.subarray(0, end - begin), begin);
    const at = stepBack(block, left);
    if (at >= 0) return { startBytes: begin + at + 1, missing: 0 };
  }
  return { startBytes: 0, missing: left.count };
}
