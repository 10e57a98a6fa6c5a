import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentKey, createCache } from './cache.ts';
import { lockFile } from './lock.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'selvedge-cache-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

const fillWith =
  (content: string) =>
  (folder: string): Promise<void> =>
    writeFile(join(folder, 'file'), content);

const visible = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => !name.startsWith('.lock'));

describe('contentKey', () => {
  it('counts the borders between the parts', () => {
    expect(contentKey(['ab', 'c'])).not.toBe(contentKey(['a', 'bc']));
    expect(contentKey(['ab', 'c'])).toBe(contentKey([Buffer.from('ab'), 'c']));
  });
});

describe('a cache', () => {
  const entry = { name: 'go/kubelet', key: contentKey(['1']) };

  it('fills a folder once', async () => {
    const cache = createCache({ root });
    const first = await cache.folder(entry, fillWith('one'));
    const second = await cache.folder(entry, fillWith('two'));
    expect(second).toBe(first);
    expect(first).toBe(cache.path(entry));
    expect(await readFile(join(first, 'file'), 'utf8')).toBe('one');
  });

  it('fills a folder once for callers that ask at the same time', async () => {
    let fills = 0;
    const fill = async (folder: string): Promise<void> => {
      fills += 1;
      await fillWith('x')(folder);
    };
    const caches = [createCache({ root }), createCache({ root }), createCache({ root })];
    await Promise.all(caches.map((cache) => cache.folder(entry, fill)));
    expect(fills).toBe(1);
  });

  it('leaves nothing of a fill that failed', async () => {
    const cache = createCache({ root });
    const fill = async (folder: string): Promise<void> => {
      await fillWith('half')(folder);
      throw new Error('no room');
    };
    await expect(cache.folder(entry, fill)).rejects.toThrow('no room');
    expect(await cache.has(entry)).toBe(false);
    expect(await visible(join(root, 'go'))).toEqual([]);
  });

  it('leaves nothing of a fill that was interrupted', async () => {
    const controller = new AbortController();
    const fill = async (folder: string): Promise<void> => {
      await fillWith('half')(folder);
      controller.abort(new Error('interrupted'));
    };
    const filling = createCache({ root }).folder(entry, fill, controller.signal);
    await expect(filling).rejects.toThrow('interrupted');
    expect(await visible(join(root, 'go'))).toEqual([]);
  });

  it('removes what is half filled and versions that nobody asked for lately, nothing else', async () => {
    const now = Date.UTC(2026, 0, 8);
    const cache = createCache({ root, keepMs: 1_000 }, { clock: { now: () => now } });
    const versions = ['0', '00'].map((each) => ({ name: 'go/kubelet', key: contentKey([each]) }));
    await mkdir(join(root, 'go/.partial-kubelet-abc123'), { recursive: true });
    const [forgotten = '', inUse = ''] = await Promise.all(
      versions.map((each) => cache.folder(each, fillWith('old'))),
    );
    for (const old of [forgotten, inUse]) await utimes(old, new Date(now - 2_000), new Date(now - 2_000));
    await cache.folder({ name: 'go/kubelet', key: contentKey(['00']) }, fillWith('never'));
    const other = await cache.folder({ name: 'go/kubelet-extra', key: contentKey(['0']) }, fillWith('x'));
    const folder = await cache.folder(entry, fillWith('new'));
    const names = (await visible(join(root, 'go'))).map((name) => join(root, 'go', name));
    expect(names.toSorted()).toEqual([folder, inUse, other].toSorted());
  });
});

describe('lockFile', () => {
  it('lets one holder in at a time', async () => {
    const file = join(root, 'lock');
    let held = 0;
    const hold = async (): Promise<void> => {
      await using lock = await lockFile(file);
      held += 1;
      expect(held).toBe(1);
      await readdir(root);
      held -= 1;
    };
    await Promise.all([hold(), hold(), hold()]);
  });

  it('stops waiting when it is told to', async () => {
    const file = join(root, 'lock');
    await using lock = await lockFile(file);
    const controller = new AbortController();
    const waiting = lockFile(file, controller.signal);
    controller.abort(new Error('interrupted'));
    await expect(waiting).rejects.toThrow('interrupted');
  });
});
