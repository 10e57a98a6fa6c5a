import { readFile, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '@selvedge/kit';

/** Removes one empty cgroup. */
export type RemoveCgroup = (path: string) => Promise<void>;

export const removeCgroup: RemoveCgroup = (path) => rmdir(path);

/** The content of a file without its last newline; `undefined` if it is not there. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trimEnd();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Leaves a file that says so already alone. */
export async function writeText(path: string, value: string): Promise<void> {
  if ((await readText(path)) !== value) await writeFile(path, value);
}

/** The names of the cgroups in one; none if it is not there. */
export async function cgroupsIn(path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The processes in a cgroup and all below it. */
export async function processesIn(path: string): Promise<readonly number[]> {
  const own = ((await readText(join(path, 'cgroup.procs'))) ?? '').split('\n').filter((line) => line !== '');
  const below = await Promise.all((await cgroupsIn(path)).map((name) => processesIn(join(path, name))));
  return [...own.map(Number), ...below.flat()];
}

/** Removes a cgroup with all below it. */
export async function removeTree(path: string, remove: RemoveCgroup): Promise<void> {
  for (const name of await cgroupsIn(path)) await removeTree(join(path, name), remove);
  await remove(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
}
