import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Digests } from '@selvedge/installer/release';
import { SelvedgeError } from '@selvedge/kit';
import { Command } from 'commander';
import type { Compression } from '../deb/index.ts';
import { processSetup, run, runTool } from '../setup/index.ts';
import { buildRelease } from './build.ts';
import { provideBusybox } from './busybox.ts';
import { emptyReleaseFolder } from './out-folder.ts';
import { type ReleaseFile, nextSteps, releaseSummary } from './summary.ts';
import { type Release, applyChangesets, nextRelease, releaseIn } from './versions.ts';

const repository = join(import.meta.dirname, '../..');
const setup = processSetup();

interface Flags {
  readonly dryRun: boolean;
  readonly out: string;
  readonly compression: Compression;
}

async function git(...args: readonly string[]): Promise<string> {
  return (await run({ argv: ['git', '-C', repository, ...args] })).stdout.trim();
}

/** The versions of the release: of a copy in a dry run, else of this checkout, which is changed to them. */
async function versions({ dryRun }: Flags, signal: AbortSignal): Promise<Release> {
  if (dryRun) return nextRelease(repository, signal);
  if ((await git('status', '--porcelain')) !== '') {
    const hint = 'commit or put away what is there, or try it with --dry-run';
    throw new SelvedgeError('the checkout has changes that are not committed', { code: 'Conflict', hint });
  }
  await applyChangesets({ checkout: repository, tools: repository }, signal);
  return releaseIn(repository);
}

async function filesOf(folder: string, digests: Digests): Promise<readonly ReleaseFile[]> {
  return Promise.all(
    Array.from(digests, async ([file, sha256]) => {
      return { file, sha256, bytes: (await stat(join(folder, file))).size };
    }),
  );
}

async function release(flags: Flags, signal: AbortSignal): Promise<void> {
  await setup.packages(signal);
  const { progress } = setup;
  const found = await progress.step({ title: 'changesets' }, () => versions(flags, signal));
  const folder = resolve(repository, flags.out);
  await emptyReleaseFolder(folder);
  const options = {
    repository,
    folder,
    version: found.version,
    sourceDateEpoch: Number(await git('log', '-1', '--format=%ct')),
    busybox: await provideBusybox({ ...setup, signal }),
    compression: flags.compression,
    signal,
  };
  const digests = await buildRelease(options, setup);
  process.stdout.write(releaseSummary(found, { files: await filesOf(folder, digests), folder: flags.out }));
  process.stdout.write(nextSteps(found, flags));
}

function program(signal: AbortSignal): Command {
  return new Command('release')
    .description('gives all packages their next version and builds all files of a release')
    .option('--dry-run', 'leave the checkout as it is', false)
    .option('--out <folder>', 'where the files go; an earlier release there is removed', 'dist/release')
    .option('--compression <kind>', 'of the Debian packages: xz, gzip or none', 'xz')
    .action((flags: Flags) => release(flags, signal));
}

process.exitCode = await runTool(async (signal) => {
  await program(signal).parseAsync(process.argv);
  return 0;
});
