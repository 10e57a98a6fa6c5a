import { fc, test as property } from '@fast-check/vitest';
import { lstat, mkdir, readFile, readdir, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { writePayload } from './atomic-writer.ts';
import type { Payload, ProjectedFile } from './payload-types.ts';
import { testFolder } from './testing.ts';

const file = (text: string, mode = 0o644): ProjectedFile => ({ data: Buffer.from(text), mode });
const deps = { own: () => Promise.resolve(), now: () => Date.UTC(2026, 10, 21, 12, 34, 56) };
const payloadOf = (files: Readonly<Record<string, string>>): Payload =>
  new Map(Object.entries(files).map(([path, text]) => [path, file(text)]));

/** What a reader sees, by path. */
async function shown(folder: string, base = ''): Promise<Record<string, string>> {
  const names = (await readdir(join(folder, base))).filter((name) => !name.startsWith('..'));
  const parts = await Promise.all(
    names.map(async (name) => {
      const path = join(base, name);
      const info = await stat(join(folder, path));
      return info.isDirectory()
        ? shown(folder, path)
        : { [path]: await readFile(join(folder, path), 'utf8') };
    }),
  );
  return Object.assign({}, ...parts);
}

describe('an atomic volume', () => {
  it("has the kubelet's shape on disk", async () => {
    await using folder = await testFolder();
    await writePayload(
      folder.path,
      new Map([
        ['a/b.conf', file('x', 0o400)],
        ['c', file('y')],
      ]),
      deps,
    );
    const data = await readlink(join(folder.path, '..data'));
    expect(data).toMatch(/^\.\.2026_11_21_12_34_56\.\w{6}$/);
    expect((await readdir(folder.path)).toSorted()).toEqual([data, '..data', 'a', 'c']);
    expect(await readlink(join(folder.path, 'a'))).toBe('..data/a');
    expect((await stat(join(folder.path, 'a/b.conf'))).mode & 0o777).toBe(0o400);
    expect((await lstat(join(folder.path, data))).mode & 0o777).toBe(0o755);
  });

  it('leaves alone what is so already', async () => {
    await using folder = await testFolder();
    const payload = payloadOf({ a: '1', 'b/c': '2' });
    expect(await writePayload(folder.path, payload, deps)).toBe(true);
    const before = await readlink(join(folder.path, '..data'));
    expect(await writePayload(folder.path, payload, deps)).toBe(false);
    expect(await readlink(join(folder.path, '..data'))).toBe(before);
  });

  it('removes what a crash left behind', async () => {
    await using folder = await testFolder();
    await writePayload(folder.path, payloadOf({ a: '1' }), deps);
    await mkdir(join(folder.path, '..2026_01_01_00_00_00.abcdef'));
    await writeFile(join(folder.path, '..data_tmp'), '');
    await writePayload(folder.path, payloadOf({ a: '2' }), deps);
    expect((await readdir(folder.path)).filter((name) => name.startsWith('..'))).toHaveLength(2);
    expect(await shown(folder.path)).toEqual({ a: '2' });
  });

  it('writes again what was lost in a power cut', async () => {
    await using folder = await testFolder();
    await writePayload(folder.path, payloadOf({ a: 'long text' }), deps);
    await writeFile(join(folder.path, 'a'), '');
    await writePayload(folder.path, payloadOf({ a: 'long text' }), deps);
    expect(await shown(folder.path)).toEqual({ a: 'long text' });
  });

  it('shows nothing of an update that fails', async () => {
    await using folder = await testFolder();
    await writePayload(folder.path, payloadOf({ a: '1' }), deps);
    const own = () => Promise.reject(new Error('no'));
    await expect(writePayload(folder.path, payloadOf({ a: '2', b: '2' }), { ...deps, own })).rejects.toThrow(
      'no',
    );
    expect(await shown(folder.path)).toEqual({ a: '1' });
    expect(await readdir(folder.path)).toHaveLength(3);
  });

  it.each(['', '/abs', 'a/../b', '..', '..data', 'x'.repeat(256), `${'d/'.repeat(2049)}f`])(
    'refuses the path %j',
    async (path) => {
      await using folder = await testFolder();
      const payload = new Map([[path, file('x')]]);
      await expect(writePayload(folder.path, payload, deps)).rejects.toThrow('invalid path');
      expect(await readdir(folder.path)).toEqual([]);
    },
  );

  const name = fc.constantFrom('a', 'b', 'c', 'd/e', 'd/f', 'g/h/i');
  const payloads = fc.array(fc.dictionary(name, fc.string({ maxLength: 4 })), { minLength: 1, maxLength: 5 });

  property.prop([payloads], { numRuns: 40 })('shows exactly the last of many payloads', async (all) => {
    await using folder = await testFolder();
    for (const files of all) {
      await writePayload(folder.path, payloadOf(files), deps);
      expect(await shown(folder.path)).toEqual({ ...files });
    }
  });
});
