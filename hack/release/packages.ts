import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture } from '@selvedge/installer/release';
import {
  type DebPackage,
  type ReleasedProgram,
  type Shell,
  buildDeb,
  debVersion,
  edgeLitePackage,
  selvedgePackage,
  shells,
} from '../deb/index.ts';
import { run } from '../setup/index.ts';
import { type Build, executableName } from './options.ts';

/** What completes the command line of `selvedge`, as it says itself. */
export async function completionsOf(selvedge: string, signal?: AbortSignal): Promise<Record<Shell, string>> {
  const all = await Promise.all(
    shells.map(async (shell) => {
      const argv = [process.execPath, selvedge, 'completion', shell] as const;
      return [shell, (await run({ argv, signal })).stdout] as const;
    }),
  );
  return Object.fromEntries(all) as Record<Shell, string>;
}

/** Makes the Debian packages for one processor from the executables; `selvedge` is the bundle. */
export async function buildPackages(
  build: Build,
  { arch, selvedge }: { readonly arch: Architecture; readonly selvedge: string },
): Promise<void> {
  const { version, folder, progress, signal } = build;
  const program = async (name: 'edge-lite' | 'selvedge'): Promise<ReleasedProgram> => {
    const executable = await readFile(join(folder, executableName(name, build, arch)));
    return { executable, version, arch };
  };
  const write = async (name: string, content: DebPackage): Promise<void> => {
    const outfile = join(folder, `${name}_${debVersion(version)}_${arch}.deb`);
    const step = { title: `Debian package ${name} for ${arch}`, estimateMs: 60_000 };
    await progress.step(step, () => buildDeb(content, { ...build, outfile }));
  };
  await write('edge-lite', edgeLitePackage(await program('edge-lite')));
  const completions = await completionsOf(selvedge, signal);
  await write('selvedge', selvedgePackage(await program('selvedge'), completions));
}
