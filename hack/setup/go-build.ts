import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cache, type CacheEntry, contentKey } from './cache.ts';
import { run } from './command.ts';
import type { GoRecipe } from './go-recipes.ts';
import type { Progress } from './progress.ts';

export interface GoBuildOptions {
  readonly recipe: GoRecipe;
  /** The folder that holds the Go modules, `test/bed/go`. */
  readonly modules: string;
  readonly signal?: AbortSignal | undefined;
}

export interface GoBuildDeps {
  readonly cache: Cache;
  readonly progress: Progress;
}

/** The arguments of `go build` for one package. Static, without paths of this machine. */
export function goBuildArgs(recipe: GoRecipe, target: { file: string; package: string }): readonly string[] {
  const stamps = Object.entries(recipe.stamps).map(([name, value]) => ` -X ${name}=${value}`);
  const tags = recipe.tags === undefined ? [] : ['-tags', recipe.tags.join(',')];
  const ldflags = `-s -w${stamps.join('')}`;
  return [
    'build',
    '-trimpath',
    '-buildvcs=false',
    ...tags,
    '-ldflags',
    ldflags,
    '-o',
    target.file,
    target.package,
  ];
}

/** Depends on the recipe and on every file at the top of the module: go.mod pins the versions, go.sum their content. */
export async function goCacheEntry(recipe: GoRecipe, modules: string): Promise<CacheEntry> {
  const { estimateMs: _estimate, assetsFolder: _folder, ...content } = recipe;
  const folder = join(modules, recipe.module);
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((each) => each.isFile()).map(({ name }) => name);
  const parts = await Promise.all(
    files.toSorted().map(async (file) => [file, await readFile(join(folder, file))]),
  );
  return { name: `go/${recipe.name}`, key: contentKey([JSON.stringify(content), ...parts.flat()]) };
}

/** The folder with the recipe's binaries, built if it is not in the cache. */
export async function goBuild(options: GoBuildOptions, deps: GoBuildDeps): Promise<string> {
  const { recipe, modules, signal } = options;
  const entry = await goCacheEntry(recipe, modules);
  const build = async (folder: string): Promise<void> => {
    for (const [file, name] of Object.entries(recipe.packages)) {
      await run({
        argv: ['nice', 'go', ...goBuildArgs(recipe, { file: join(folder, 'bin', file), package: name })],
        cwd: join(modules, recipe.module),
        env: { CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' },
        signal,
      });
    }
  };
  const fill = (folder: string): Promise<void> =>
    deps.progress.step({ title: `build ${recipe.name}`, estimateMs: recipe.estimateMs }, () => build(folder));
  return join(await deps.cache.folder(entry, fill, signal), 'bin');
}
