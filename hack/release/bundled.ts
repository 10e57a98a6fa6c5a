import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A package of which something is in a bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as the package says. */
  readonly license: string;
  /** Subresource integrity of its archive (`sha512-…`), from the lockfile; undefined: it is of this repository. */
  readonly integrity: string | undefined;
}

/** As far as it is read. Source: esbuild documentation, "Metafile". */
export interface Metafile {
  readonly outputs: Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>
  >;
}

/** The folders of the packages that put bytes into the bundle, relative to the repository. Pure. */
export function packageFolders({ outputs }: Metafile): readonly string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const folders = inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(
      ([path]) =>
        /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? /^packages\/[^/]+/.exec(path)?.[0],
    );
  return [...new Set(folders.filter((folder) => folder !== undefined))].toSorted();
}

/** What the lockfile says of a package. Source: pnpm, lockfile version 9. */
export interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly resolution: { readonly integrity?: string } }>>;
}

/** What is in a bundle, by its metafile; paths in it are relative to the repository. */
export async function bundledPackages(
  metafile: Metafile,
  { repository, lockfile }: { readonly repository: string; readonly lockfile: Lockfile },
): Promise<readonly BundledPackage[]> {
  const found = await Promise.all(
    packageFolders(metafile).map(async (folder) => {
      const text = await readFile(join(repository, folder, 'package.json'), 'utf8');
      const { name, version, license } = JSON.parse(text) as BundledPackage;
      const { integrity } = lockfile.packages[`${name}@${version}`]?.resolution ?? {};
      return { name, version, license, integrity };
    }),
  );
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
