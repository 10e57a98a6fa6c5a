import { readFile } from 'node:fs/promises';
import { layerOf } from '@selvedge/hack/image';
import { busyboxInputs, busyboxLayer, shellEnvironment } from './busybox.ts';
import { type ImageRecipe, imageRefs } from './recipe.ts';

/** Kubernetes' own test server on a busybox root. `binary` is its path in the cache, which names its content. */
export function agnhostImage(binary: string): ImageRecipe {
  return {
    name: 'agnhost',
    inputs: async () => [binary, ...(await busyboxInputs())],
    content: async (signal) => ({
      ref: imageRefs.agnhost,
      config: { Entrypoint: ['/agnhost'], Cmd: ['pause'], Env: shellEnvironment },
      layers: [
        await busyboxLayer(signal),
        await layerOf([
          { kind: 'file', path: 'agnhost', content: await readFile(binary), mode: 0o755 },
          { kind: 'symlink', path: 'agnhost-2', target: '/agnhost' },
        ]),
      ],
    }),
  };
}
