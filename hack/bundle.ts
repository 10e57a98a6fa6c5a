import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import { build } from 'esbuild';
import { leanPackages } from './lean-packages.ts';

export interface BundleOptions {
  /** The program's first file. */
  readonly entry: string;
  /** The one file that is written. */
  readonly outfile: string;
  /** Replaces identifiers by constants, as `{ 'process.env.X': '"y"' }`. */
  readonly define?: Readonly<Record<string, string>>;
  /** More is an error. */
  readonly maxBytes: number;
  /** Where esbuild's account of what is in the bundle is written, with paths from the root of the checkout. Default: nowhere. */
  readonly metafile?: string;
}

/**
 * Left outside: addons, which a bundle would lose and fail to find at run time. The bundle uses node:sqlite, and
 * better-sqlite3 only where it is installed beside it; ssh2 does without its own.
 */
const external = ['better-sqlite3', 'cpu-features', '*.node'];

/**
 * Bundles a program into one minified CommonJS file for Node 24; resolves to its size. CommonJS, because a static ESM
 * import of node:http loads undici (13 MB). Warnings are errors: they tell of code that means something else in a bundle.
 */
export async function bundle(options: BundleOptions): Promise<number> {
  const { entry, outfile, maxBytes } = options;
  const { warnings, metafile } = await build({
    entryPoints: [entry],
    outfile,
    absWorkingDir: join(import.meta.dirname, '..'),
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    external,
    plugins: [leanPackages],
    define: { ...options.define },
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
  });
  if (warnings.length > 0) {
    const text = warnings.map((warning) => `${warning.location?.file ?? entry}: ${warning.text}`).join('; ');
    throw new SelvedgeError(`${entry} cannot be bundled as it is: ${text}`, { code: 'Invalid' });
  }
  if (options.metafile !== undefined) await writeFile(options.metafile, JSON.stringify(metafile));
  const { size } = await stat(outfile);
  if (size <= maxBytes) return size;
  const message = `${outfile} has ${size} bytes, ${size - maxBytes} more than it may`;
  const hint = 'esbuild --analyze tells what takes the room';
  throw new SelvedgeError(message, { code: 'ResourceExhausted', hint });
}
