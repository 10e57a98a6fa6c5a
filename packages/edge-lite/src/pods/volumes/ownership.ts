import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const setGroupId = 0o2000;
const execute = 0o110;

interface Ownership {
  readonly group: number;
  readonly readOnly: boolean;
}

async function ownOne(path: string, { group, readOnly }: Ownership): Promise<void> {
  const info = await lstat(path);
  await lchown(path, -1, group);
  // The mode of a link is that of what it points to: not ours to change.
  if (info.isSymbolicLink()) return;
  const access = readOnly ? 0o440 : 0o660;
  const mask = info.isDirectory() ? access | execute | setGroupId : access;
  // Taken anew: a change of owner drops the set-id bits.
  await chmod(path, (info.mode & 0o7777) | mask);
}

/**
 * Gives a volume to the pod's `fsGroup`: group, group's access, and new files inherit the group. Does not follow links.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#set-the-security-context-for-a-pod
 */
export async function giveToGroup(path: string, ownership: Ownership): Promise<void> {
  if ((await lstat(path)).isDirectory()) {
    for (const name of await readdir(path)) await giveToGroup(join(path, name), ownership);
  }
  await ownOne(path, ownership);
}
