import { createReadStream, createWriteStream } from 'node:fs';
import { link, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import { systemCode } from '@selvedge/kit';

import { planRotation } from './rotation-plan.ts';

export interface Rotation {
  readonly path: string;
  readonly nowMs: number;
  readonly maxFiles: number;
  /** Makes the runtime open the log by its path again. */
  readonly reopen: () => Promise<void>;
}

async function compress(path: string, signal: AbortSignal): Promise<void> {
  const unfinished = `${path}.tmp`;
  try {
    const { mode } = await stat(path);
    const target = createWriteStream(unfinished, { mode, flush: true });
    await pipeline(createReadStream(path), createGzip(), target, { signal });
    await rename(unfinished, `${path}.gz`);
    await rm(path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** Gives the log its name back. False if there is a new one already: the runtime reopened it whatever it said. */
async function restore(rotated: string, path: string): Promise<boolean> {
  try {
    await link(rotated, path);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  await rm(rotated);
  return true;
}

async function renew({ path, reopen }: Rotation, rotated: string): Promise<void> {
  await rename(path, rotated);
  try {
    await reopen();
  } catch (error) {
    if (await restore(rotated, path)) throw error;
  }
}

/**
 * Gives a log a new file, removes the oldest and compresses all but the newest of the rotated ones. The runtime goes on
 * writing to the renamed file until it has reopened the log, so no line is lost wherever this ends. What cannot be
 * compressed, say on a full disk, stays as it is until the next time.
 */
export async function rotate(rotation: Rotation, signal: AbortSignal): Promise<void> {
  const folder = dirname(rotation.path);
  const plan = planRotation(basename(rotation.path), await readdir(folder), rotation);
  for (const name of plan.remove) await rm(join(folder, name), { force: true });
  await renew(rotation, join(folder, plan.rotated));
  for (const name of plan.compress) await compress(join(folder, name), signal);
}
