import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BundleOptions, bundle } from './bundle.ts';
import { imageArchive, managerImage } from './image/index.ts';

const packages = join(import.meta.dirname, '../packages');
const mebibyte = 1024 * 1024;

/** The programs that are built, the folder of each in `packages`, and how large its one file may be, in bytes. */
export const programs = {
  'edge-lite': { folder: 'edge-lite', maxBytes: 1.25 * mebibyte },
  'cloud-manager': { folder: 'cloud-manager', maxBytes: 2 * mebibyte },
  selvedge: { folder: 'installer', maxBytes: 2.5 * mebibyte },
} as const;

export type Program = keyof typeof programs;

export const programNames = Object.keys(programs) as readonly Program[];

const folderOf = (program: Program): string => join(packages, programs[program].folder);

/** Where `pnpm build` puts a program. */
export const bundleOf = (program: Program): string => join(folderOf(program), `dist/${program}.cjs`);

/** Where `pnpm build` puts the image of cloud-manager: an archive for `ctr images import`, `docker load` or skopeo. */
export const managerImageFile = join(packages, 'cloud-manager/dist/cloud-manager-linux-amd64.tar');

/** As its package says. */
export async function versionOf(program: Program): Promise<string> {
  const manifest = await readFile(join(folderOf(program), 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

export interface ProgramBuild extends Pick<BundleOptions, 'define' | 'metafile'> {
  /** Default: as its package says. */
  readonly version?: string;
}

/** Makes a program's one file, stamped with its version; resolves to its size in bytes. */
export async function bundleProgram(
  program: Program,
  outfile = bundleOf(program),
  { version, define, ...more }: ProgramBuild = {},
): Promise<number> {
  const stamp = JSON.stringify(version ?? (await versionOf(program)));
  return bundle({
    entry: join(folderOf(program), 'src/main.ts'),
    outfile,
    define: { SELVEDGE_VERSION: stamp, ...define },
    maxBytes: programs[program].maxBytes,
    ...more,
  });
}

/** Makes the image of a bundled cloud-manager; resolves to its name and its size in bytes. */
export async function buildManagerImage(
  bundleFile = bundleOf('cloud-manager'),
  outfile = managerImageFile,
): Promise<{ readonly ref: string; readonly size: number }> {
  const image = await managerImage({ bundle: bundleFile, version: await versionOf('cloud-manager') });
  const archive = await imageArchive(image);
  await writeFile(outfile, archive);
  return { ref: image.ref, size: archive.length };
}
