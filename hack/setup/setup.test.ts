import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingGiven, unbuilt } from './assets.ts';
import { binaries } from './binaries.ts';
import { silentProgress } from './progress.ts';
import { type Setup, cacheRoot, createSetup } from './setup.ts';

describe('cacheRoot', () => {
  it('follows the XDG specification', () => {
    expect(cacheRoot({ HOME: '/home/a', XDG_CACHE_HOME: '/cache' })).toBe('/cache/selvedge');
    expect(cacheRoot({ HOME: '/home/a', XDG_CACHE_HOME: '' })).toBe('/home/a/.cache/selvedge');
    expect(cacheRoot({ HOME: '/home/a' })).toBe('/home/a/.cache/selvedge');
  });
});

describe('ready binaries', () => {
  const modules = join(import.meta.dirname, '../../test/bed/go');
  let given: string;
  let setup: Setup;

  beforeEach(async () => {
    given = await mkdtemp(join(tmpdir(), 'selvedge-given-'));
    const env = { XDG_CACHE_HOME: join(given, 'cache'), SELVEDGE_KUBE_ASSETS: given };
    setup = createSetup({ env }, { progress: silentProgress });
  });

  afterEach(() => rm(given, { recursive: true }));

  async function give(path: string): Promise<void> {
    await mkdir(dirname(join(given, path)), { recursive: true });
    await writeFile(join(given, path), '');
    await chmod(join(given, path), 0o755);
  }

  it('are used instead of building', async () => {
    await give('kubectl');
    await give('1.35/kube-scheduler');
    const wanted = ['kubectl', 'kube-scheduler-1.35'] as const;
    expect(await setup.assets({ binaries: wanted })).toEqual({
      kubectl: join(given, 'kubectl'),
      'kube-scheduler-1.35': join(given, '1.35/kube-scheduler'),
    });
    expect(await unbuilt({ binaries: wanted, modules, given }, setup.cache)).toEqual([]);
  });

  it('count only when all of a recipe are there', async () => {
    await give('containerd-2.4/containerd');
    await give('containerd-2.4/ctr');
    const wanted = binaries.containerd24;
    expect(await missingGiven(wanted, given)).toEqual(['containerd-2.4/containerd-shim-runc-v2']);
    const [recipe] = await unbuilt({ binaries: wanted, modules, given }, setup.cache);
    expect(recipe?.name).toBe('containerd-2.4');
  });

  it('that are not executable do not count', async () => {
    await writeFile(join(given, 'kubectl'), '');
    expect(await missingGiven(['kubectl'], given)).toEqual(['kubectl']);
  });
});
