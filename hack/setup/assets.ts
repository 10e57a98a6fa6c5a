import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import type { Assets, Binary } from './binaries.ts';
import type { Cache } from './cache.ts';
import { debianBinaries } from './debian-binaries.ts';
import { debianFiles } from './debian-files.ts';
import { goBuild, goCacheEntry } from './go-build.ts';
import { type GoRecipe, goRecipes } from './go-recipes.ts';
import { type Progress, duration } from './progress.ts';

export interface AssetsOptions<B extends Binary> {
  readonly binaries: readonly B[];
  /** The folder of the Go modules, `test/bed/go`. */
  readonly modules: string;
  /** A folder of ready binaries (`SELVEDGE_KUBE_ASSETS`), used as far as they are there. */
  readonly given?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AssetsDeps {
  readonly cache: Cache;
  readonly progress: Progress;
}

function recipeOf(binary: Binary): GoRecipe | undefined {
  return goRecipes.find((recipe) => recipe.binaries[binary] !== undefined);
}

async function isThere(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The folder under `given` that holds every file of the recipe, or undefined. */
async function givenFolder(recipe: GoRecipe, given: string | undefined): Promise<string | undefined> {
  if (given === undefined) return undefined;
  const folder = join(given, recipe.assetsFolder);
  const there = await Promise.all(Object.keys(recipe.packages).map((file) => isThere(join(folder, file))));
  return there.includes(false) ? undefined : folder;
}

/** The Go-built binaries that are neither given nor in the cache, in the order of building. */
export async function unbuilt(
  options: Pick<AssetsOptions<Binary>, 'binaries' | 'modules' | 'given'>,
  cache: Cache,
): Promise<readonly GoRecipe[]> {
  const wanted = goRecipes.filter((recipe) =>
    options.binaries.some((name) => recipe.binaries[name] !== undefined),
  );
  const todo: GoRecipe[] = [];
  for (const recipe of wanted) {
    if ((await givenFolder(recipe, options.given)) !== undefined) continue;
    if (!(await cache.has(await goCacheEntry(recipe, options.modules)))) todo.push(recipe);
  }
  return todo;
}

/** The wanted files that the folder of ready binaries lacks, relative to it. */
export async function missingGiven(binaries: readonly Binary[], given: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const recipe of goRecipes.filter((each) =>
    binaries.some((name) => each.binaries[name] !== undefined),
  )) {
    for (const file of Object.keys(recipe.packages)) {
      const path = join(recipe.assetsFolder, file);
      if (!(await isThere(join(given, path)))) missing.push(path);
    }
  }
  return missing;
}

async function locate(binary: Binary, options: AssetsOptions<Binary>, deps: AssetsDeps): Promise<string> {
  const { signal } = options;
  const source = debianBinaries[binary];
  if (source !== undefined) return join(await debianFiles({ ...source, signal }, deps), source.file);
  const recipe = recipeOf(binary);
  const file = recipe?.binaries[binary];
  if (recipe === undefined || file === undefined) {
    throw new SelvedgeError(`nobody knows how to make ${binary}`, { code: 'Internal' });
  }
  const given = await givenFolder(recipe, options.given);
  return join(given ?? (await goBuild({ recipe, modules: options.modules, signal }, deps)), file);
}

/** Where a binary stands in the order of building; what is not built comes first. */
function position(name: Binary): number {
  return goRecipes.findIndex((recipe) => recipe.binaries[name] !== undefined);
}

/** `→ 13 programs are to be built, about 12 min in all; this happens once`. */
export function announce(recipes: readonly GoRecipe[]): string {
  const totalMs = recipes.reduce((sum, { estimateMs }) => sum + estimateMs, 0);
  return `→ ${recipes.length} programs are to be built, about ${duration(totalMs)} in all; this happens once`;
}

/** Absolute paths of the wanted binaries. Builds, one after another, what neither is given nor in the cache. */
export async function provideAssets<B extends Binary>(
  options: AssetsOptions<B>,
  deps: AssetsDeps,
): Promise<Assets<B>> {
  const todo = await unbuilt(options, deps.cache);
  if (todo.length > 1) deps.progress.note(announce(todo));
  const found: [B, string][] = [];
  for (const name of options.binaries.toSorted((a, b) => position(a) - position(b))) {
    found.push([name, await locate(name, options, deps)]);
  }
  return Object.fromEntries(found) as Assets<B>;
}
