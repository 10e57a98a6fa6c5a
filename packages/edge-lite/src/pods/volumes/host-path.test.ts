import { once } from 'node:events';
import { lstat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { prepareHostPath } from './host-path.ts';
import { testFolder } from './testing.ts';

describe('a host path', () => {
  it.each([
    ['', 'missing'],
    ['Directory', '.'],
    ['DirectoryOrCreate', '.'],
    ['DirectoryOrCreate', 'new/deep'],
    ['File', 'file'],
    ['FileOrCreate', 'file'],
    ['FileOrCreate', 'new-file'],
    ['CharDevice', '/dev/null'],
    ['Socket', 'socket'],
  ])('of type %j may be %s', async (type, name) => {
    await using folder = await testFolder();
    await writeFile(join(folder.path, 'file'), '');
    const server = createServer().listen(join(folder.path, 'socket'));
    await once(server, 'listening');
    const path = name.startsWith('/') ? name : join(folder.path, name);
    expect(await prepareHostPath({ path, type })).toBe(path);
    const isThere = (await lstat(path).catch(() => undefined)) !== undefined;
    expect(isThere).toBe(type !== '');
    server.close();
  });

  it.each([
    ['Directory', 'file', 'is not a directory'],
    ['Directory', 'missing', 'is not a directory'],
    ['DirectoryOrCreate', 'file', 'is not a directory'],
    ['File', '.', 'is not a file'],
    ['FileOrCreate', '.', 'is not a file'],
    ['Socket', 'file', 'is not a socket file'],
    ['CharDevice', 'file', 'is not a character device'],
    ['BlockDevice', '/dev/null', 'is not a block device'],
    ['Tape', 'file', 'Tape is an invalid volume type'],
  ])('of type %s may not be %s', async (type, name, message) => {
    await using folder = await testFolder();
    await writeFile(join(folder.path, 'file'), '');
    const path = name.startsWith('/') ? name : join(folder.path, name);
    await expect(prepareHostPath({ path, type })).rejects.toThrow(message);
  });

  it('does not climb', async () => {
    await expect(prepareHostPath({ path: '/var/../etc' })).rejects.toThrow("must not contain '..'");
  });
});
