import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import type { Host } from '../host/index.ts';
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
      if (wasLost) continue;
      expect(at).toBeGreaterThan(sweep.at);
      return;
    }
  });

  it.each([
    ['was rewritten', 'server: https://cloud-2:6443\n', 'server: https://cloud-2:6443\n', /rewritten since/],
    ['was edited', `${texts.converted}# more\n`, `${texts.kubelet}# more\n`, /edited since/],
  ])(
    'takes its own out of an edited file that %s since, and leaves all else',
    async (_how, since, then, note) => {
      await using disk = await vanilla();
      await start(disk, disk.host, 'apply');
      const path = join(disk.folder, 'etc/kubelet.conf');
      await writeFile(path, since);
      expect(await start(disk, disk.host, 'undo')).toEqual([expect.stringMatching(note)]);
      expect(await readFile(path, 'utf8')).toBe(then);
      expect(await readdir(join(disk.folder, 'etc'))).not.toContain('.kubelet.conf.selvedge-r1');
    },
  );

  it('leaves an edited file to a person in which only a part of its own is, and goes on after that', async () => {
    await using disk = await vanilla();
    await start(disk, disk.host, 'apply');
    const path = join(disk.folder, 'etc/kubelet.conf');
    await writeFile(path, 'server: https://hub\nbackup: https://hub\n');
    const back = start(disk, disk.host, 'undo');
    await expect(back).rejects.toMatchObject({ code: 'Conflict', message: /still has https:\/\/hub/ });
    expect(await readFile(join(disk.folder, 'etc/.kubelet.conf.selvedge-r1'), 'utf8')).toBe(texts.kubelet);
    await writeFile(path, 'server: https://cloud-2:6443\n');
    expect(await start(disk, disk.host, 'undo')).toHaveLength(1);
  });

  it('takes its own out of an edited file of which nothing was kept', async () => {
    await using disk = await vanilla();
    await start(disk, disk.host, 'apply');
    await rm(join(disk.folder, 'etc/.kubelet.conf.selvedge-r1'));
    await start(disk, disk.host, 'undo');
    const path = join(disk.folder, 'etc/kubelet.conf');
    expect([await readFile(path, 'utf8'), (await stat(path)).mode & 0o777]).toEqual([texts.kubelet, 0o604]);
  });

  it('leaves a replaced file that somebody changed since to a person, who keeps either', async () => {
    await using disk = await vanilla();
    await start(disk, disk.host, 'apply');
    const [path, backup] = ['etc/proxy.conf', 'etc/.proxy.conf.selvedge-r1'].map((one) =>
      join(disk.folder, one),
    );
    if (path === undefined || backup === undefined) throw new Error('unreachable');
    await writeFile(path, 'by hand\n');
    const back = start(disk, disk.host, 'undo');
    await expect(back).rejects.toMatchObject({ code: 'Conflict', hint: expect.stringContaining(backup) });
    await rm(backup);
    expect(await start(disk, disk.host, 'undo')).toEqual([expect.stringContaining(path)]);
    expect(await readFile(path, 'utf8')).toBe('by hand\n');
  });

  it.each([
    ['changed', (path: string) => writeFile(path, 'by hand\n')],
    ['replaced', (path: string) => writeFile(`${path}~`, 'by hand\n').then(() => rename(`${path}~`, path))],
  ])('does not go on over a file that somebody %s while it was interrupted', async (_how, change) => {
    await using disk = await vanilla();
    const path = join(disk.folder, 'etc/kubelet.conf');
    const interrupted: Host = {
      ...disk.host,
      run: (command, signal) =>
        command.argv.includes(path) && command.stdin === texts.converted
          ? Promise.reject(new SelvedgeError('the machine is lost', { code: 'Unavailable' }))
          : disk.host.run(command, signal),
    };
    await expect(start(disk, interrupted, 'apply')).rejects.toMatchObject({ code: 'Unavailable' });
    await change(path);
    await expect(start(disk, disk.host, 'apply')).rejects.toMatchObject({ code: 'Conflict' });
    expect(await start(disk, disk.host, 'undo')).toEqual([expect.stringContaining(path)]);
    expect(await readFile(path, 'utf8')).toBe('by hand\n');
    expect(await readdir(join(disk.folder, 'etc'))).not.toContain('.kubelet.conf.selvedge-r1');
  });

  it.each([9, 12])(
    'on a disk that is full (%i blocks) says so, and goes back when there is room',
    async (blocks) => {
      await using disk = await vanilla();
      const before = await lookAt(disk);
      const shell = `trap '' XFSZ; ulimit -f ${blocks}; exec "$@"`;
      const full: Host = {
        ...disk.host,
        run: (command, signal) =>
          disk.host.run({ ...command, argv: ['sh', '-c', shell, 'sh', ...command.argv] }, signal),
      };
      await expect(start(disk, full, 'apply')).rejects.toMatchObject({ hint: /free some space/ });
      await expect(start(disk, full, 'undo')).rejects.toMatchObject({ hint: /free some space/ });
      await start(disk, disk.host, 'undo');
      expect(await lookAt(disk)).toEqual(before);
    },
  );

  it('says which files of others keep a folder of its own from going, and goes on without them', async () => {
    await using disk = await vanilla();
    await start(disk, disk.host, 'apply');
    const path = join(disk.folder, 'etc/selvedge/notes');
    await writeFile(path, 'mine\n');
    await expect(start(disk, disk.host, 'undo')).rejects.toMatchObject({
      code: 'Conflict',
      message: /holds files of others: notes$/,
      hint: expect.stringContaining('move them out of'),
    });
    await rename(path, join(disk.folder, 'notes'));
    expect(await start(disk, disk.host, 'undo')).toEqual([]);
    expect(await readdir(join(disk.folder, 'etc'))).not.toContain('selvedge');
  });

  it.each([
    [
      'an edit of a file that was changed since it was looked at',
      'etc/kubelet.conf',
      /since it was inspected/,
    ],
    ['a folder of ours in which something is', 'var/selvedge/left', /not empty/],
  ])('stops before %s', async (_what, path, why) => {
    await using disk = await vanilla();
    await mkdir(join(disk.folder, dirname(path)), { recursive: true });
    await writeFile(join(disk.folder, path), 'other\n');
    await expect(start(disk, disk.host, 'apply')).rejects.toMatchObject({ code: 'Conflict', message: why });
  });
});
