import { systemCode } from './errors.ts';

/** What `work` on a file gives; undefined where the file, or a folder on the way to it, is not there (`ENOENT`). */
export async function ifPresent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
