import { rm } from 'node:fs/promises';
import { SelvedgeError } from '@selvedge/kit';

import type { Mounter } from './mounter.ts';

/**
 * Unmounts all that is mounted in a pod's folder and deletes the folder. Nothing is deleted while anything is mounted
 * there: a host path that a container mounted into its own volume must not be emptied. `Unavailable` while it is in use.
 */
export async function removeFolder(path: string, mounter: Mounter, signal: AbortSignal): Promise<void> {
  const mounts = await mounter.below(path);
  for (const mount of mounts.toReversed()) await mounter.unmount(mount, signal);
  const left = await mounter.below(path);
  if (left.length > 0) {
    throw new SelvedgeError(`${left.length} mount(s) are left below ${path}`, { code: 'Unavailable' });
  }
  await rm(path, { recursive: true, force: true });
}
