import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layerOf } from '@selvedge/hack/image';
import { run } from '@selvedge/hack/setup';
import { type ImageRecipe, imageRefs } from './recipe.ts';

const source = join(import.meta.dirname, 'pause.c');

async function compile(signal?: AbortSignal): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-pause-'));
  try {
    const file = join(folder, 'pause');
    await run({ argv: ['gcc', '-static', '-Os', '-s', '-Wall', '-Werror', '-o', file, source], signal });
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The sandbox image: one static program. */
export const pauseImage: ImageRecipe = {
  name: 'pause',
  inputs: async () => [await readFile(source)],
  content: async (signal) => ({
    ref: imageRefs.pause,
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
    layers: [await layerOf([{ kind: 'file', path: 'pause', content: await compile(signal), mode: 0o755 }])],
  }),
};
