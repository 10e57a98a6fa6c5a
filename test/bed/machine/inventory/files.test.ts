import { chmod, lutimes, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileFacts } from './files.ts';
import type { Facts, VolatilePath } from './types.ts';
import { volatileLookup } from './volatile-lookup.ts';

const longAgo = new Date('2020-01-02T03:04:05Z');

async function disk(): Promise<
  AsyncDisposable & {
    readonly at: (path: string) => string;
    look(volatile?: readonly VolatilePath[]): Promise<Facts>;
  }
> {
  const root = await mkdtemp(join(tmpdir(), 'selvedge-disk-'));
  const at = (path: string): string => join(root, path);
  await mkdir(at('etc/kubernetes'), { recursive: true });
  await writeFile(at('etc/kubernetes/kubelet.conf'), 'server: a\n', { mode: 0o600 });
  await utimes(at('etc/kubernetes/kubelet.conf'), longAgo, longAgo);
  return {
    at,
    look: (volatile = []) => fileFacts({ root, foreign: new Set(['/run']), left: volatileLookup(volatile) }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

const path = '/etc/kubernetes/kubelet.conf';

describe('the files of a machine', () => {
  it('are told with type, mode, owner, time and content', async () => {
    await using one = await disk();
    await symlink('kubelet.conf', one.at('etc/kubernetes/link'));
    await lutimes(one.at('etc/kubernetes/link'), longAgo, longAgo);
    const facts = await one.look();
    const owner = `${process.getuid?.()}:${process.getgid?.()}`;
    expect(facts[path]).toMatch(
      new RegExp(
        String.raw`^file 0600 ${owner} 2020-01-02T03:04:05\.000000000 10 bytes sha256:[0-9a-f]{64}$`,
      ),
    );
    expect(facts['/etc/kubernetes/link']).toBe(
      `symboliclink 0777 ${owner} 2020-01-02T03:04:05.000000000 -> kubelet.conf`,
    );
    expect(facts['/etc/kubernetes']).toBe(`directory 0755 ${owner}`);
  });

  it.each<[string, (file: string) => Promise<void>]>([
    [
      'another content of the same length and time',
      async (file) => {
        await writeFile(file, 'server: b\n');
        await utimes(file, longAgo, longAgo);
      },
    ],
    ['another time', (file) => utimes(file, longAgo, new Date())],
    ['another mode', (file) => chmod(file, 0o644)],
    ['its end', (file) => rm(file)],
  ])('show %s', async (_what, change) => {
    await using one = await disk();
    const before = await one.look();
    await change(one.at(path));
    expect((await one.look())[path]).not.toBe(before[path]);
  });

  it('are left out where something else is mounted', async () => {
    await using one = await disk();
    await mkdir(one.at('run'));
    await writeFile(one.at('run/pid'), '1');
    expect(Object.keys(await one.look())).toEqual(['/', '/etc', '/etc/kubernetes', path]);
  });

  it('are left out, or their time is, where they change by themselves', async () => {
    await using one = await disk();
    const reason = 'the clock';
    expect(await one.look([{ path: '/etc/kubernetes', what: 'all', reason }])).toEqual({
      '/': expect.stringMatching(/^directory/) as string,
      '/etc': expect.stringMatching(/^directory/) as string,
    });
    const timeless = (await one.look([{ path, what: 'mtime', reason }]))[path];
    await utimes(one.at(path), longAgo, new Date());
    expect((await one.look([{ path, what: 'mtime', reason }]))[path]).toBe(timeless);
  });
});
