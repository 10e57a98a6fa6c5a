import { hasCode } from '@selvedge/kit';
import type { HostFiles } from './types.ts';

/** The text of a file; undefined if it is not there. `maxBytes` as of `HostFiles.read`. */
export async function readIfThere(
  files: Pick<HostFiles, 'read'>,
  { path, ...options }: { readonly path: string; readonly maxBytes?: number },
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await files.read(path, options, signal)).toString();
  } catch (error) {
    if (hasCode(error, 'NotFound')) return undefined;
    throw error;
  }
}
