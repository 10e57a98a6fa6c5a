import { open } from 'node:fs/promises';

import { systemCode } from '@selvedge/kit';

import type { ReadTail } from './termination.ts';

/** The end of a file on this machine. */
export const readTail: ReadTail = async (path, maxBytes) => {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const length = Math.min(size, maxBytes);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
};
