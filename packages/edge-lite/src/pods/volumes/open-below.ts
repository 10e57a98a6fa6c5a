import { constants } from 'node:fs';
import { chmod, mkdir, open, realpath, type FileHandle } from 'node:fs/promises';
import { relative } from 'node:path';
import { SelvedgeError, systemCode } from '@selvedge/kit';

/** Linux' `O_PATH`: a handle to a place in the tree, of whatever kind it is, without opening what is there. */
const placeOnly = 0o10_000_000;
const noFollow = placeOnly | constants.O_NOFOLLOW;

const pathOf = (place: FileHandle): string => `/proc/self/fd/${place.fd}`;

function escapes(): SelvedgeError {
  return new SelvedgeError('a path leads out of its volume', { code: 'Invalid' });
}

function segmentsBelow(base: string, path: string): readonly string[] {
  const rest = relative(base, path);
  if (rest.startsWith('/') || rest.split('/')[0] === '..') throw escapes();
  return rest === '' ? [] : rest.split('/');
}

/** One step down from `parent`, which is closed. Links are refused. */
async function enter(parent: FileHandle, name: string): Promise<FileHandle> {
  try {
    const child = await open(`${pathOf(parent)}/${name}`, noFollow);
    if (!(await child.stat()).isSymbolicLink()) return child;
    await child.close();
    throw escapes();
  } finally {
    await parent.close();
  }
}

/**
 * A handle to `path` below `base`, whose own last name may not be a link either: each step is taken from the handle of the
 * one before, so that nobody can swap a link in meanwhile. The caller closes it.
 */
export async function openBelow(base: string, path: string): Promise<FileHandle> {
  const segments = segmentsBelow(base, path);
  let place = await open(base, noFollow);
  for (const name of segments) place = await enter(place, name);
  return place;
}

async function enterOrMake(parent: FileHandle, name: string, mode: number): Promise<FileHandle> {
  const path = `${pathOf(parent)}/${name}`;
  let made = true;
  await mkdir(path).catch((error: unknown) => {
    if (systemCode(error) !== 'EEXIST') throw error;
    made = false;
  });
  const child = await enter(parent, name);
  if (made) await chmod(pathOf(child), mode);
  return child;
}

/** The longest existing part of `path`, links resolved, and the names that are missing below it. */
async function existingPart(
  base: string,
  names: readonly string[],
): Promise<{ readonly path: string; readonly missing: readonly string[] }> {
  for (let count = names.length; count > 0; count -= 1) {
    try {
      const path = await realpath([base, ...names.slice(0, count)].join('/'));
      return { path, missing: names.slice(count) };
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
  return { path: base, missing: names };
}

/** Makes the folders of `subPath` below `base`, those that are missing with `mode`; never outside of it. */
export async function makeBelow(base: string, subPath: string, mode: number): Promise<void> {
  const names = subPath.split('/').filter((name) => name !== '' && name !== '.');
  const { path, missing } = await existingPart(base, names);
  let place = await openBelow(base, path);
  for (const name of missing) place = await enterOrMake(place, name, mode);
  await place.close();
}
