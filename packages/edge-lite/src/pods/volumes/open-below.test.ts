import { chmod, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { makeBelow, openBelow } from './open-below.ts';
import { checkSubPath } from './sub-path.ts';
import { testFolder } from './testing.ts';

/** A volume with an outside, and links that lead there. */
async function volume() {
  const folder = await testFolder();
  const base = join(folder.path, 'volume');
  const outside = join(folder.path, 'outside');
  await mkdir(join(base, 'in/side'), { recursive: true });
  await mkdir(outside);
  await writeFile(join(base, 'in/file'), 'x');
  await symlink('../outside', join(base, 'escape'));
  await symlink('in', join(base, 'link'));
  return { base, outside, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe('a place below a folder', () => {
  it.each(['in/side', 'in/file', ''])('is opened: %j', async (path) => {
    await using at = await volume();
    const place = await openBelow(at.base, join(at.base, path));
    const [opened, wanted] = await Promise.all([place.stat(), stat(join(at.base, path))]);
    await place.close();
    expect(opened.ino).toBe(wanted.ino);
  });

  it.each(['escape', 'escape/x', 'link/side', '..', '../outside'])('is refused: %j', async (path) => {
    await using at = await volume();
    await expect(openBelow(at.base, join(at.base, path))).rejects.toThrow('leads out of its volume');
  });

  it.each([
    ['new/deep', 0o751],
    ['in/new', 0o751],
    ['link/new', 0o751],
    ['in/side', 0o700],
  ])('is made: %j', async (path, mode) => {
    await using at = await volume();
    await chmod(join(at.base, 'in/side'), 0o700);
    await makeBelow(at.base, path, 0o751);
    const info = await stat(join(at.base, path));
    expect([info.isDirectory(), info.mode & 0o777]).toEqual([true, mode]);
  });

  it('is not made outside', async () => {
    await using at = await volume();
    await expect(makeBelow(at.base, 'escape/new', 0o755)).rejects.toThrow('leads out of its volume');
    expect(await readdir(at.outside)).toEqual([]);
  });
});

describe('a sub path', () => {
  it.each([
    ['/abs', 'error SubPath `/abs` must not be an absolute path'],
    ['a/../b', "unable to provision SubPath `a/../b`: must not contain '..'"],
  ])('may not be %s', (subPath, message) => {
    expect(() => checkSubPath(subPath)).toThrow(message);
  });

  it.each(['', 'a', 'a/b', '..a'])('may be %j', (subPath) => {
    expect(() => checkSubPath(subPath)).not.toThrow();
  });
});
