import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from './bundle.ts';

const edgeLite = join(import.meta.dirname, '../packages/edge-lite');
const mebibyte = 1024 * 1024;

/** Where `pnpm build` puts the agent. */
export const edgeLiteBundle = join(edgeLite, 'dist/edge-lite.cjs');

/** Makes the agent's one file, at most 1 MiB, stamped with its version; resolves to its size in bytes. */
export async function bundleEdgeLite(outfile = edgeLiteBundle): Promise<number> {
  const manifest = await readFile(join(edgeLite, 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { readonly version: string };
  return bundle({
    entry: join(edgeLite, 'src/main.ts'),
    outfile,
    define: { SELVEDGE_VERSION: JSON.stringify(version) },
    maxBytes: mebibyte,
  });
}
