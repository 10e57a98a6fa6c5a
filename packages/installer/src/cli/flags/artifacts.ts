import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ifPresent } from '@selvedge/kit';
import type { Command } from 'commander';
import { type Artifacts, openArtifacts } from '../../artifacts/index.ts';
import { type JoinArtifacts, packagesIn } from '../../join/index.ts';
import type { CliHost } from '../host.ts';

/** What is brought to machines. */
export interface ArtifactsFlags {
  readonly artifacts?: string;
}

export function withArtifacts(command: Command): Command {
  return command.option(
    '--artifacts <folder>',
    'folder of a release; default: the one that contains this program',
  );
}

/** Throws `NotFound` and `Corrupt` by its list of checksums. */
export const openRelease = ({ artifacts }: ArtifactsFlags, { programFolder }: CliHost): Promise<Artifacts> =>
  openArtifacts(artifacts ?? programFolder, { readFile: (path) => readFile(path) });

/** Packages of distributions that somebody has put beside the release, for machines without a way to their mirrors. */
export const openPackages = (
  { artifacts }: ArtifactsFlags,
  { programFolder }: CliHost,
): NonNullable<JoinArtifacts['packages']> =>
  packagesIn(join(artifacts ?? programFolder, 'packages'), {
    readFolder: async (path) => (await ifPresent(readdir(path))) ?? [],
    readFile: (path) => readFile(path),
  });
