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

/** The arguments of `go build` for one package. Without paths of this machine, and without debug information, a fifth of Go's build cache. */
export function goBuildArgs(recipe: GoRecipe, target: { file: string; package: string }): readonly string[] {
  const stamps = Object.entries(recipe.stamps).map(([name, value]) => ` -X ${name}=${value}`);
  const tags = recipe.tags === undefined ? [] : ['-tags', recipe.tags.join(',')];
  const ldflags = `-s -w${stamps.join('')}`;
  return [
    'build',
    '-trimpath',
    '-buildvcs=false',
    '-gcflags=all=-dwarf=false',
    ...tags,
    '-ldflags',
    ldflags,
    '-o',
    target.file,
    target.package,
  ];
}

/** The names and contents of the files in a folder, not of those below. */
async function filesIn(folder: string): Promise<readonly (string | Uint8Array)[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((each) => each.isFile()).map(({ name }) => name);
  const files = names.toSorted().map(async (name) => [name, await readFile(join(folder, name))]);
  return (await Promise.all(files)).flat();
}

/**
 * Depends on the recipe, on the module's pins (go.mod has the versions, go.sum their content) and on those packages
 * that are code of ours.
 */
export async function goCacheEntry(recipe: GoRecipe, modules: string): Promise<CacheEntry> {
  const { estimateMs: _estimate, assetsFolder: _folder, ...content } = recipe;
  const own = Object.values(recipe.packages).filter((name) => name.startsWith('./'));
  const folders = [recipe.module, ...own.map((name) => join(recipe.module, name))];
  const files = await Promise.all(folders.map((folder) => filesIn(join(modules, folder))));
  return { name: `go/${recipe.name}`, key: contentKey([JSON.stringify(content), ...files.flat()]) };
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
