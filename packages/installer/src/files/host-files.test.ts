import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalHost } from '../host/index.ts';
import { createHostFiles } from './host-files.ts';
import { readIfThere } from './read-if-there.ts';

const files = createHostFiles(createLocalHost({ clock: systemClock }));
let folder = '';
const at = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('a file that is read', () => {
  it('is nothing if it is not there, nor a folder for it', async () => {
    await writeFile(at('file'), 'text');
    const found = ['file', 'none', 'none/file', 'file/file'].map((name) =>
      readIfThere(files, { path: at(name) }),
    );
    expect(await Promise.all(found)).toEqual(['text', undefined, undefined, undefined]);
    await expect(files.read(at('none'))).rejects.toMatchObject({ code: 'NotFound' });
  });

  it('is not nothing if it cannot be read', async () => {
    await mkdir(at('journal'));
    await expect(readIfThere(files, { path: at('journal') })).rejects.toMatchObject({
      code: 'Internal',
      message: expect.stringContaining(`cannot read ${at('journal')} on `),
      hint: /fix the cause/,
    });
  });
});
