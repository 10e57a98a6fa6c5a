import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Architecture,
  type Digests,
  architectures,
  artifactName,
  checksumsFile,
  renderChecksums,
} from '@selvedge/installer/release';
import { tuning as managerTuning } from '../../packages/cloud-manager/src/tuning.ts';
import { tuning } from '../../packages/edge-lite/src/tuning.ts';
import { imageArchive, managerImage, nodeShellImage } from '../image/index.ts';
import { type Program, type ProgramBuild, bundleProgram } from '../programs.ts';
import { buildExecutable, nodeFor } from '../sea/index.ts';
import { digestsIn } from './digests.ts';
import {
  type Build,
  type BuildDeps,
  type BuildOptions,
  bundleFile,
  executableName,
  metafileOf,
} from './options.ts';
import { buildPackages } from './packages.ts';
import { writeSboms } from './sboms.ts';

async function bundleOne(build: Build, program: Program, define: ProgramBuild['define'] = {}): Promise<void> {
  const { version } = build;
  await build.progress.step({ title: `bundle ${program}` }, async () => {
    await bundleProgram(program, bundleFile(build, program), {
      version,
      define,
      metafile: metafileOf(build, program),
    });
  });
}

async function executable(
  build: Build,
  program: Program,
  { arch, flags = [] }: { readonly arch: Architecture; readonly flags?: readonly string[] },
): Promise<void> {
  const { signal, folder, progress } = build;
  const outfile = join(folder, executableName(program, build, arch));
  const options = { bundle: bundleFile(build, program), arch, outfile, flags, signal };
  await progress.step({ title: `executable ${program} for ${arch}`, estimateMs: 5_000 }, () =>
    buildExecutable(options),
  );
}

async function images(build: Build, arch: Architecture): Promise<void> {
  const { version, folder, busybox, progress } = build;
  const bundle = bundleFile(build, 'cloud-manager');
  const made = {
    'cloud-manager': () => managerImage({ bundle, version, node: nodeFor(arch), architecture: arch }),
    'node-shell': () => nodeShellImage({ busybox: busybox[arch], version, architecture: arch }),
  } as const;
  await progress.step({ title: `images for ${arch}` }, async () => {
    for (const kind of ['cloud-manager', 'node-shell'] as const) {
      const file = join(folder, artifactName(kind, { version, arch }));
      await writeFile(file, await imageArchive(await made[kind]()));
    }
  });
}

/** What is compiled into `selvedge`: what the files are that it takes to machines. */
const compiledIn = (digests: Digests): Readonly<Record<string, string>> => ({
  SELVEDGE_RELEASE: JSON.stringify([...digests]),
});

async function buildAll(build: Build): Promise<Digests> {
  const wanted = build.architectures ?? architectures;
  await bundleOne(build, 'edge-lite');
  await bundleOne(build, 'cloud-manager');
  for (const arch of wanted) {
    await executable(build, 'edge-lite', { arch, flags: tuning.flags });
    await executable(build, 'cloud-manager', { arch, flags: managerTuning.flags });
    await images(build, arch);
  }
  await bundleOne(build, 'selvedge', compiledIn(await digestsIn(build.folder)));
  for (const arch of wanted) {
    await executable(build, 'selvedge', { arch });
    await buildPackages(build, { arch, selvedge: bundleFile(build, 'selvedge') });
  }
  await writeSboms(build);
  const digests = await digestsIn(build.folder);
  await writeFile(join(build.folder, checksumsFile), renderChecksums(digests));
  return digests;
}

/**
 * Makes all files of a release; resolves with their checksums, which `SHA256SUMS` holds too. The same sources, Node and
 * Debian packages give the same bytes.
 */
export async function buildRelease(options: BuildOptions, deps: BuildDeps): Promise<Digests> {
  const scratch = await mkdtemp(join(tmpdir(), 'selvedge-release-'));
  try {
    return await buildAll({ ...options, ...deps, scratch });
  } finally {
    await rm(scratch, { recursive: true });
  }
}
