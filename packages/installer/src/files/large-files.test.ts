import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Host, createLocalHost } from '../host/index.ts';
import { createHostFiles } from './host-files.ts';

const host = createLocalHost({ clock: systemClock });
const files = createHostFiles(host);
let folder = '';
const at = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Counts the bytes that are sent. */
function counting(): { readonly host: Host; readonly sent: () => number } {
  let bytes = 0;
  const run: Host['run'] = (command, signal) => {
    bytes += command.stdin?.length ?? 0;
    return host.run(command, signal);
  };
  return { host: { ...host, run }, sent: () => bytes };
}

describe('a large file', () => {
  const content = randomBytes(9 * 2 ** 20);
  const sha256 = createHash('sha256').update(content).digest('hex');

  it('for which there is no room leaves the room that there was', async () => {
    const shell = `trap '' XFSZ; ulimit -f 17000; exec "$@"`;
    const run: Host['run'] = (command, signal) =>
      host.run({ ...command, argv: ['sh', '-c', shell, 'sh', ...command.argv] }, signal);
    const uploaded = createHostFiles({ ...host, run }).upload(at('program'), {
      content,
      sha256,
      mode: 0o755,
    });
    await expect(uploaded).rejects.toMatchObject({ hint: /free some space/ });
    expect(await readdir(folder)).toEqual([]);
  });

  it('comes in pieces, whole or not at all', async () => {
    await files.upload(at('program'), { content, sha256, mode: 0o755 });
    expect((await readFile(at('program'))).equals(content)).toBe(true);
    expect((await stat(at('program'))).mode & 0o777).toBe(0o755);
    expect(await readdir(folder)).toEqual(['program']);
  });

  it('keeps what came of a piece that broke off', async () => {
    let pieces = 0;
    const run: Host['run'] = (command, signal) => {
      const { stdin } = command;
      const isCut = Buffer.isBuffer(stdin) && stdin.length > 2 ** 20 && (pieces += 1) === 1;
      return host.run(isCut ? { ...command, stdin: stdin.subarray(0, stdin.length / 2) } : command, signal);
    };
    const cut = createHostFiles({ ...host, run });
    await expect(cut.upload(at('program'), { content, sha256, mode: 0o755 })).rejects.toThrow(/end of file/);
    const { size } = await stat(at('.program.selvedge-new'));
    expect([size > 2 ** 20, size < 8 * 2 ** 20]).toEqual([true, true]);
    await files.upload(at('program'), { content, sha256, mode: 0o755 });
    expect((await readFile(at('program'))).equals(content)).toBe(true);
  });

  it('goes on where it was left', async () => {
    await writeFile(at('.program.selvedge-new'), content.subarray(0, 8 * 2 ** 20 + 17));
    const { host: counted, sent } = counting();
    await createHostFiles(counted).upload(at('program'), { content, sha256, mode: 0o755 });
    expect((await readFile(at('program'))).equals(content)).toBe(true);
    expect(sent()).toBeLessThan(2 * 2 ** 20);
  });

  it('may take minutes for each of its programs that a slow line or disk keeps', async () => {
    const timeouts: (number | undefined)[] = [];
    const run: Host['run'] = (command, signal) => {
      if (command.argv.includes(sha256) || (command.stdin?.length ?? 0) > 0) timeouts.push(command.timeoutMs);
      return host.run(command, signal);
    };
    await createHostFiles({ ...host, run }).upload(at('program'), { content, sha256, mode: 0o755 });
    expect(timeouts).toEqual([600_000, 600_000, 600_000]);
  });

  it('begins anew if what was left is of another', async () => {
    await writeFile(at('.program.selvedge-new'), 'older');
    await files.upload(at('program'), { content, sha256, mode: 0o755 });
    expect((await readFile(at('program'))).equals(content)).toBe(true);
  });

  it('that is not what it shall be is not put in place', async () => {
    await writeFile(at('program'), 'before');
    const tampered = { content: Buffer.from('tampered'), sha256, mode: 0o755 };
    await expect(files.upload(at('program'), tampered)).rejects.toMatchObject({ code: 'Corrupt' });
    expect(await readFile(at('program'), 'utf8')).toBe('before');
    expect(await readdir(folder)).toEqual(['program']);
  });
});

describe('a file that is made of others', () => {
  const secret = Buffer.from('-----BEGIN EC PRIVATE KEY-----\n').toString('base64');

  it('has them one after the other, each from a line of its own, for root alone', async () => {
    await writeFile(at('a.crt'), 'A');
    await writeFile(at('conf'), `users:\n- user:\n    client-key-data: "${secret}"\n`);
    const from = [{ path: at('a.crt') }, { path: at('conf'), field: 'client-key-data' }];
    await files.compose(at('made'), { from, mode: 0o600 });
    expect(await readFile(at('made'), 'utf8')).toBe('A\n-----BEGIN EC PRIVATE KEY-----\n');
    expect((await stat(at('made'))).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['not there', 'users: []\n'],
    ['there twice', `client-key-data: ${secret}\nclient-key-data: ${secret}\n`],
  ])('is refused if a field is %s', async (_what, conf) => {
    await writeFile(at('conf'), conf);
    const from = [{ path: at('conf'), field: 'client-key-data' }];
    await expect(files.compose(at('made'), { from, mode: 0o600 })).rejects.toMatchObject({
      code: 'Conflict',
    });
  });

  it('is refused if one is not there', async () => {
    const from = [{ path: at('none') }];
    await expect(files.compose(at('made'), { from, mode: 0o600 })).rejects.toMatchObject({
      code: 'Internal',
    });
  });
});

describe('a folder of ours', () => {
  it('is seen for what it is', async () => {
    await mkdir(at('full/inner'), { recursive: true });
    await mkdir(at('empty'));
    await writeFile(at('file'), '');
    await symlink(at('full'), at('link'));
    const names = ['none', 'empty', 'full', 'file', 'link'];
    const states = await Promise.all(names.map((name) => files.lookTree(at(name))));
    expect(states).toEqual(['absent', 'empty', 'full', 'other', 'other']);
  });

  it('goes with all in it, and follows no link out of it', async () => {
    await mkdir(at('ours/a/b'), { recursive: true });
    await mkdir(at('theirs'));
    await writeFile(at('theirs/file'), 'kept');
    await symlink(at('theirs'), at('ours/a/link'));
    await files.removeTree(at('ours'), { keep: true });
    expect(await readdir(at('ours'))).toEqual([]);
    await files.removeTree(at('ours'), { keep: false });
    await files.removeTree(at('ours'), { keep: false });
    expect(await readdir(folder)).toEqual(['theirs']);
    expect(await readFile(at('theirs/file'), 'utf8')).toBe('kept');
  });

  it('gets its time again, to the nanosecond', async () => {
    await mkdir(at('etc'));
    await utimes(at('etc'), 1_500_000_000.123_456, 1_500_000_000.123_456);
    const { mtimeNs } = await stat(at('etc'), { bigint: true });
    const times = await files.times([at('none'), at('etc')]);
    expect(Object.keys(times)).toEqual([at('etc')]);
    await writeFile(at('etc/new'), '');
    await files.setTimes(times);
    expect((await stat(at('etc'), { bigint: true })).mtimeNs).toBe(mtimeNs);
  });
});
