import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageArchive } from '@selvedge/hack/image';
import { type Setup, contentKey, debianFiles, processSetup } from '@selvedge/hack/setup';
import { agnhostImage } from './agnhost.ts';
import { busyboxImage } from './busybox.ts';
import { nginxImage, nginxPackages } from './nginx.ts';
import { pauseImage } from './pause.ts';
import { type ImageName, type ImageRecipe, type Recipe, imageRefs } from './recipe.ts';

export interface Image {
  readonly ref: string;
  /** See `imageArchive`; in the cache. */
  readonly tar: string;
}

export interface EnsureImagesOptions {
  /** Default: all. */
  readonly names?: readonly ImageName[];
  readonly signal?: AbortSignal | undefined;
}

async function recipeOf(name: ImageName, setup: Setup, signal?: AbortSignal): Promise<ImageRecipe> {
  switch (name) {
    case 'pause':
      return pauseImage;
    case 'busybox':
      return busyboxImage;
    case 'agnhost':
      return agnhostImage((await setup.assets({ binaries: ['agnhost'], signal })).agnhost);
    case 'nginx':
      return nginxImage(await debianFiles({ name, packages: nginxPackages, signal }, setup));
  }
}

/** The code that makes images, on which they depend too. */
const folders = [import.meta.dirname, join(import.meta.dirname, '../../../hack/image')];

async function ownSources(): Promise<readonly Uint8Array[]> {
  const names = await Promise.all(
    folders.map(async (folder) => (await readdir(folder)).toSorted().map((name) => join(folder, name))),
  );
  const sources = names.flat().filter((file) => !file.endsWith('.test.ts'));
  return Promise.all(sources.map((file) => readFile(file)));
}

/** Makes the image unless it is in the cache; no registry is asked. */
export async function ensureImage(recipe: Recipe, setup: Setup, signal?: AbortSignal): Promise<Image> {
  const { name, ref } = recipe;
  const key = contentKey([...(await ownSources()), ...(await recipe.inputs(signal))]);
  const fill = (folder: string): Promise<void> =>
    setup.progress.step({ title: `make image ${ref}` }, async () =>
      writeFile(join(folder, 'image.tar'), await imageArchive(await recipe.content(signal))),
    );
  const folder = await setup.cache.folder({ name: `images/${name}`, key }, fill, signal);
  return { ref, tar: join(folder, 'image.tar') };
}

/** The same for the images of the testbed. */
export async function ensureImages(
  options: EnsureImagesOptions = {},
  setup: Setup = processSetup(),
): Promise<readonly Image[]> {
  const { signal } = options;
  const images: Image[] = [];
  for (const name of options.names ?? (Object.keys(imageRefs) as ImageName[])) {
    const recipe = await recipeOf(name, setup, signal);
    images.push(await ensureImage({ ...recipe, ref: imageRefs[name] }, setup, signal));
  }
  return images;
}
