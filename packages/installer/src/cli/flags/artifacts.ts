import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type Artifacts, openArtifacts } from '../../artifacts/index.ts';
import type { CliHost } from '../host.ts';

/** What is brought to machines. */
export interface ArtifactsFlags {
  readonly artifacts?: string;
}

export function withArtifacts(command: Command): Command {
  return command.option('--artifacts <folder>', 'of a release; default: where this program is');
}

/** Throws `NotFound` and `Corrupt` by its list of checksums. */
export const openRelease = ({ artifacts }: ArtifactsFlags, { programFolder }: CliHost): Promise<Artifacts> =>
  openArtifacts(artifacts ?? programFolder, { readFile: (path) => readFile(path) });
