import { open } from 'node:fs/promises';

import { ifPresent } from '@selvedge/kit';

import type { ReadTail } from './termination.ts';

/** The end of a file on this machine. */
export const readTail: ReadTail = async (path, maxBytes) => {
  await using file = await ifPresent(open(path, 'r'));
  if (file === undefined) return undefined;
  const { size } = await file.stat();
  const length = Math.min(size, maxBytes);
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.subarray(0, bytesRead).toString();
};
