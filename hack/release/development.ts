import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Architecture, artifactName, checksumsFile, renderChecksums } from '@selvedge/installer/release';
import { tuning as managerTuning } from '../../packages/cloud-manager/src/tuning.ts';
import { tuning } from '../../packages/edge-lite/src/tuning.ts';
import { type DebPackage, buildDeb, edgeLitePackage, selvedgePackage } from '../deb/index.ts';
import { imageArchive, managerImage, nodeShellImage } from '../image/index.ts';
import { bundleProgram, versionOf } from '../programs.ts';
import { buildExecutable, nodeFor } from '../sea/index.ts';
import { type Setup, contentKey, createCache } from '../setup/index.ts';
import { digestsIn } from './digests.ts';
import { completionsOf } from './packages.ts';

export type DevelopmentDeps = Pick<Setup, 'cache' | 'progress'> & {
  readonly signal?: AbortSignal | undefined;
};

/** To be raised when the code around does it differently. */
const recipe = '3';
/** As long as a run may need what it has made; then what was made of other sources goes. */
const keepMs = 30 * 60_000;

async function inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-build-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A folder of the cache for what is made of these bundles. */
async function made(
  { name, bundles }: { readonly name: string; readonly bundles: readonly string[] },
  { cache, progress, signal }: DevelopmentDeps,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const contents = await Promise.all(bundles.map((bundle) => readFile(bundle)));
  const key = contentKey([recipe, process.version, ...tuning.flags, ...contents]);
  const lasting = createCache({ root: cache.root, keepMs });
  const step = { title: `build ${name}`, estimateMs: 5_000 };
  return lasting.folder({ name, key }, (folder) => progress.step(step, () => fill(folder)), signal);
}

/** Absolute path of the executable of edge-lite as it is in this checkout; made once for the same sources. */
export async function provideEdgeLite(arch: Architecture, deps: DevelopmentDeps): Promise<string> {
  const { signal } = deps;
  return inScratch(async (scratch) => {
    const bundle = join(scratch, 'edge-lite.cjs');
    await bundleProgram('edge-lite', bundle);
    const what = { name: `release/edge-lite-${arch}`, bundles: [bundle] };
    const folder = await made(what, deps, async (into) => {
      const outfile = join(into, 'edge-lite');
      await buildExecutable({ bundle, arch, outfile, flags: tuning.flags, signal });
    });
    return join(folder, 'edge-lite');
  });
}

/**
 * A folder as `--artifacts` takes it, with the files for amd64 as they are in this checkout and `SHA256SUMS`; made once
 * for the same sources.
 */
export async function provideArtifacts(deps: DevelopmentDeps): Promise<string> {
  const arch = 'amd64';
  const version = await versionOf('edge-lite');
  const edgeLite = await provideEdgeLite(arch, deps);
  return inScratch(async (scratch) => {
    const bundle = join(scratch, 'cloud-manager.cjs');
    await bundleProgram('cloud-manager', bundle);
    const what = { name: 'release/artifacts', bundles: [bundle, edgeLite] };
    return made(what, deps, async (into) => {
      const put = (kind: Parameters<typeof artifactName>[0], bytes: Uint8Array): Promise<void> =>
        writeFile(join(into, artifactName(kind, { version, arch })), bytes, { mode: 0o755 });
      await put('edge-lite', await readFile(edgeLite));
      const outfile = join(into, artifactName('cloud-manager-program', { version, arch }));
      await buildExecutable({ bundle, arch, outfile, flags: managerTuning.flags, signal: deps.signal });
      await put(
        'cloud-manager',
        await imageArchive(await managerImage({ bundle, version, node: nodeFor(arch) })),
      );
      const shell = { busybox: '/bin/busybox', version, architecture: arch } as const;
      await put('node-shell', await imageArchive(await nodeShellImage(shell)));
      await writeFile(join(into, checksumsFile), renderChecksums(await digestsIn(into)));
    });
  });
}

/** Paths of Debian packages for amd64. */
export interface DevelopmentPackages {
  readonly edgeLite: string;
  /** The same with a later version. */
  readonly laterEdgeLite: string;
  readonly selvedge: string;
}

const debVersions = { first: '1.0.0', later: '1.0.1' } as const;

/** The Debian packages of what is in this checkout, uncompressed; made once for the same sources. */
export async function providePackages(deps: DevelopmentDeps): Promise<DevelopmentPackages> {
  const [arch, { signal }] = ['amd64' as const, deps];
  const edgeLite = await provideEdgeLite(arch, deps);
  return inScratch(async (scratch) => {
    const bundle = join(scratch, 'selvedge.cjs');
    await bundleProgram('selvedge', bundle);
    const folder = await made({ name: 'release/debs', bundles: [bundle, edgeLite] }, deps, async (into) => {
      const write = (name: string, content: DebPackage): Promise<void> =>
        buildDeb(content, { outfile: join(into, name), sourceDateEpoch: 0, compression: 'none', signal });
      for (const [name, version] of Object.entries(debVersions)) {
        const program = { executable: await readFile(edgeLite), version, arch };
        await write(`edge-lite-${name}.deb`, edgeLitePackage(program));
      }
      const outfile = join(scratch, 'selvedge');
      await buildExecutable({ bundle, arch, outfile, signal });
      const program = { executable: await readFile(outfile), version: debVersions.first, arch };
      await write('selvedge.deb', selvedgePackage(program, await completionsOf(bundle, signal)));
    });
    return {
      edgeLite: join(folder, 'edge-lite-first.deb'),
      laterEdgeLite: join(folder, 'edge-lite-later.deb'),
      selvedge: join(folder, 'selvedge.deb'),
    };
  });
}
