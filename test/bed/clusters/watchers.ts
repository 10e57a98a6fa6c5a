import { readFile, writeFile } from 'node:fs/promises';

const file = '/proc/sys/fs/inotify/max_user_instances';
/** A cluster of four machines takes about 75, beside what beds take. */
const wanted = 1_024;

/**
 * Lets the programs of all machines watch files: Linux gives a user 128 inotify instances, and all machines are one user. The one
 * setting of the host that a cluster changes; it is never lowered, for others may count on it.
 */
export async function allowWatchers(): Promise<void> {
  if (Number(await readFile(file, 'utf8')) < wanted) await writeFile(file, String(wanted));
}
