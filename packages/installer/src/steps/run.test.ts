import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Loss, isConverted, lookAt, runWithLoss, start, texts, vanilla } from './testing-run.ts';

/** Each try is a few hundred programs; all commands are tried by the long tests. The sweeps meet other ones each. */
const stride = 113;
const sweeps: readonly Loss[] = [
  { way: 'apply', when: 'before', at: 6 },
  { way: 'apply', when: 'after', at: 17 },
  { way: 'undo', when: 'before', at: 11 },
  { way: 'undo', when: 'after', at: 28 },
];

describe('a run', () => {
  it('does its steps, and takes them back to the bytes, modes, owners, times and inodes that were', async () => {
    await using disk = await vanilla();
    const before = await lookAt(disk);
    await start(disk, disk.host, 'apply');
    expect(await isConverted(disk)).toBe(true);
    expect(await disk.systemd.hasAddress()).toBe(true);
    const modeOf = async (path: string): Promise<string> =>
      ((await stat(join(disk.folder, path))).mode & 0o777).toString(8);
    expect(await modeOf('etc/kubelet.conf')).toBe('604');
    expect(await modeOf('etc/proxy.conf')).toBe('640');
    expect(await modeOf('var/selvedge/client.pem')).toBe('600');
    // As a program of ours does while it runs.
    await writeFile(join(disk.folder, 'var/selvedge/state.db'), 'state');
    await writeFile(join(disk.folder, 'var/selvedge/client.pem'), 'renewed');
    await start(disk, disk.host, 'undo');
    expect(await lookAt(disk)).toEqual(before);
  });

  it.each(sweeps)('that is lost $when a command on the way to $way goes on, and back', async (sweep) => {
    for (let { at } = sweep; ; at += stride) {
      const { wasLost, converted, before, after } = await runWithLoss({ ...sweep, at });
      expect([at, converted ?? true]).toEqual([at, true]);
      expect(after, `lost at command ${at}`).toEqual(before);
      if (!wasLost) return;
    }
  });

  it('does not take back what somebody changed since, and loses none of it', async () => {
    await using disk = await vanilla();
    await start(disk, disk.host, 'apply');
    const path = join(disk.folder, 'etc/kubelet.conf');
    await writeFile(path, 'by hand\n');
    await expect(start(disk, disk.host, 'undo')).rejects.toMatchObject({
      code: 'Conflict',
      hint: /move one/,
    });
    expect(await readFile(path, 'utf8')).toBe('by hand\n');
    expect(await readFile(join(disk.folder, 'etc/.kubelet.conf.selvedge-r1'), 'utf8')).toBe(texts.kubelet);
  });

  it.each([
    ['an edit of a file that was changed since it was looked at', 'etc/kubelet.conf', /looked at/],
    ['a folder of ours in which something is', 'var/selvedge/left', /not empty/],
  ])('stops before %s', async (_what, path, why) => {
    await using disk = await vanilla();
    await mkdir(join(disk.folder, dirname(path)), { recursive: true });
    await writeFile(join(disk.folder, path), 'other\n');
    await expect(start(disk, disk.host, 'apply')).rejects.toMatchObject({ code: 'Conflict', message: why });
  });
});
