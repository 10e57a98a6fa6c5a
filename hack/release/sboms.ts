import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { programNames } from '../programs.ts';
import { type Build, metafileOf } from './options.ts';
import { type Lockfile, type Metafile, bundledPackages } from './bundled.ts';
import { sbomOf } from './sbom.ts';

/** Writes the bill of materials of each program: `edge-lite_0.4.0.cdx.json`. */
export async function writeSboms(build: Build): Promise<void> {
  const { repository, version, folder, sourceDateEpoch } = build;
  const lockfile = parse(await readFile(join(repository, 'pnpm-lock.yaml'), 'utf8')) as Lockfile;
  for (const program of programNames) {
    const metafile = JSON.parse(await readFile(metafileOf(build, program), 'utf8')) as Metafile;
    const packages = (await bundledPackages(metafile, { repository, lockfile })).map((one) =>
      // Ours have the version of the release.
      one.integrity === undefined ? { ...one, version } : one,
    );
    const sbom = sbomOf({ program, version, packages, nodeVersions: process.versions, sourceDateEpoch });
    await writeFile(join(folder, `${program}_${version}.cdx.json`), `${JSON.stringify(sbom, null, 2)}\n`);
  }
}
