import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from './bundle.ts';

const packages = join(import.meta.dirname, '../packages');
const mebibyte = 1024 * 1024;

/** The programs that are built, and how large the one file of each may be, in bytes. */
export const programs = {
  'edge-lite': { maxBytes: 1.25 * mebibyte },
  'cloud-manager': { maxBytes: 2 * mebibyte },
} as const;

export type Program = keyof typeof programs;

export const programNames = Object.keys(programs) as readonly Program[];

/** Where `pnpm build` puts a program. */
export const bundleOf = (program: Program): string => join(packages, program, `dist/${program}.cjs`);

/** Makes a program's one file, stamped with its version; resolves to its size in bytes. */
export async function bundleProgram(program: Program, outfile = bundleOf(program)): Promise<number> {
  const manifest = await readFile(join(packages, program, 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { readonly version: string };
  return bundle({
    entry: join(packages, program, 'src/main.ts'),
    outfile,
    define: { SELVEDGE_VERSION: JSON.stringify(version) },
    ...programs[program],
  });
}
