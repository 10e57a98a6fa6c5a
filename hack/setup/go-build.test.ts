import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { announce } from './assets.ts';
import { allBinaries, benchBinaries } from './binaries.ts';
import { debianBinaries } from './debian-binaries.ts';
import { goBuildArgs, goCacheEntry } from './go-build.ts';
import { type GoRecipe, goRecipes } from './go-recipes.ts';

const recipe: GoRecipe = {
  name: 'thing',
  module: 'thing',
  packages: { thing: 'example.org/thing/cmd/thing' },
  binaries: {},
  stamps: { 'example.org/version.gitVersion': 'v1.2.3' },
  tags: ['no_zfs', 'no_btrfs'],
  assetsFolder: '',
  estimateMs: 1,
};

describe('goBuildArgs', () => {
  it('stamps the version and keeps this machine’s paths out', () => {
    expect(goBuildArgs(recipe, { file: '/cache/bin/thing', package: 'example.org/thing/cmd/thing' })).toEqual(
      [
        'build',
        '-trimpath',
        '-buildvcs=false',
        '-gcflags=all=-dwarf=false',
        '-tags',
        'no_zfs,no_btrfs',
        '-ldflags',
        '-s -w -X example.org/version.gitVersion=v1.2.3',
        '-o',
        '/cache/bin/thing',
        'example.org/thing/cmd/thing',
      ],
    );
  });
});

describe('goCacheEntry', () => {
  it('changes with the module and with what is built, not with the estimate', async () => {
    const modules = await mkdtemp(join(tmpdir(), 'selvedge-go-'));
    try {
      const source = join(import.meta.dirname, '../../test/bed/go/etcd');
      await cp(source, join(modules, 'thing'), { recursive: true });
      const { name, key } = await goCacheEntry(recipe, modules);
      expect(name).toBe('go/thing');
      expect((await goCacheEntry({ ...recipe, estimateMs: 2 }, modules)).key).toBe(key);
      expect((await goCacheEntry({ ...recipe, stamps: {} }, modules)).key).not.toBe(key);
      const local = { ...recipe, packages: { thing: './cmd' } };
      await mkdir(join(modules, 'thing/cmd'));
      const before = (await goCacheEntry(local, modules)).key;
      await writeFile(join(modules, 'thing/cmd/main.go'), 'package main');
      expect((await goCacheEntry(local, modules)).key).not.toBe(before);
      expect((await goCacheEntry(recipe, modules)).key).toBe(key);
      await writeFile(join(modules, 'thing/go.sum'), '');
      expect((await goCacheEntry(recipe, modules)).key).not.toBe(key);
    } finally {
      await rm(modules, { recursive: true });
    }
  });
});

it('announces how long all builds together take', () => {
  const two = [recipe, { ...recipe, estimateMs: 119_999 }];
  expect(announce(two)).toBe('→ 2 programs are to be built, about 2 min in all; this happens once');
});

describe('the recipes', () => {
  it.each([...allBinaries, ...benchBinaries])('make %s in exactly one way', (binary) => {
    const built = goRecipes.filter((each) => each.binaries[binary] !== undefined);
    expect(built.length + (debianBinaries[binary] === undefined ? 0 : 1)).toBe(1);
  });

  it.each(goRecipes)('$name names a file that it builds', ({ binaries, packages }) => {
    for (const file of Object.values(binaries)) expect(Object.keys(packages)).toContain(file);
  });
});
